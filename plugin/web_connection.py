"""A client's connection, on which nobody waits: neither the loop nor a thread.

What a client does not take at once is kept and sent by the loop when it does, so that slow readers
hold no thread; a body is read until a deadline.
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any, Self

from gunicorn.workers.gthread import TConn

BODY_S = 10.0  # for a whole body
SEND_S = 5.0  # without the client taking anything
RATE = 16_384  # bytes a second that a client takes at least
MOST_UNSENT = 4 * 1024 * 1024  # bytes kept for a client; who sends more (a download) waits for it
MOST_KEPT = 64 * 1024 * 1024  # for all clients of a process
_BUSY_S = 1.0  # how long this thread may have waited for the processor
_LEAST_S = 0.005
_PATIENT = struct.pack("ll", int(SEND_S), 0)


class Outgoing(socket.socket):
    """A socket whose sendall() returns at once. Threads take turns with it, one at a time."""

    _kept = 0  # of all, in bytes
    _counting = threading.Lock()

    def __init__(self, *details: Any) -> None:
        super().__init__(*details)
        self._pieces: deque[memoryview] = deque()
        self.unsent = 0  # bytes

    @classmethod
    def of(cls, accepted: socket.socket) -> Self:
        """The same connection; the other object has it no more."""
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        made = cls(family, kind, protocol, accepted.detach())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENT)
        return made

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Sends or keeps it. Raises OSError when the client is gone, takes too little of a
        download, or all clients together left too much."""
        if self.unsent + len(data) > MOST_UNSENT:
            self._wait()
            super().sendall(data, flags)
            return
        sent = 0 if self.unsent else self._send(data)
        if sent == len(data):
            return
        if Outgoing._kept > MOST_KEPT:
            raise ConnectionAbortedError(errno.ENOBUFS, "too much waits for clients")
        self._keep(memoryview(data)[sent:])

    def flush(self) -> bool:
        """Sends what the client takes now; whether that was all. Raises OSError."""
        while self._pieces:
            piece = self._pieces[0]
            sent = self._send(piece)
            self._count(-sent)
            if sent < len(piece):
                self._pieces[0] = piece[sent:]
                return False
            self._pieces.popleft()
        return True

    def close(self) -> None:
        """Forgets what was not sent."""
        self._pieces.clear()
        self._count(-self.unsent)
        super().close()

    def _send(self, data: Any) -> int:
        try:
            return self.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _keep(self, rest: memoryview) -> None:
        self._pieces.append(rest)
        self._count(len(rest))

    def _wait(self) -> None:
        """Until all that was kept is sent."""
        self.setblocking(True)
        while self._pieces:
            piece = self._pieces.popleft()
            self._count(-len(piece))
            super().sendall(piece)

    def _count(self, more: int) -> None:
        self.unsent += more
        with Outgoing._counting:
            Outgoing._kept += more


class _Bounded:
    """A socket to read a body from, before a deadline. What gunicorn's parser asks of one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = 0.0

    def recv(self, size: int) -> bytes:
        left_s = self.deadline - time.monotonic()
        if left_s < -_BUSY_S:
            raise TimeoutError(errno.ETIMEDOUT, "the body took too long")
        self._sock.settimeout(max(left_s, _LEAST_S))  # what is there already is never too late
        try:
            return self._sock.recv(size)
        finally:
            self._sock.setblocking(True)

    def gettimeout(self) -> float:
        return self.deadline

    def settimeout(self, _timeout: float | None) -> None:
        """The deadline is what counts."""


class Connection(TConn):
    """``head``: what arrived of the next requests and was not given to anybody yet; ``among``:
    those that wait for the same in the loop, None while nobody waits for the client; ``queued_at``:
    since when it waits for a thread; ``again``: whether another request may follow the answer that
    is being sent, until ``send_by``."""

    sock: Outgoing

    def __init__(self, *details: Any) -> None:
        super().__init__(*details)
        self.head = b""
        self.body = _Bounded(self.sock)
        self.discarded = 0
        self.among: Waiting | None = None
        self.again = False
        self.send_by = self.queued_at = 0.0

    def begin(self) -> None:
        """In the thread: the parser finds the head where it reads."""
        self.data_ready = True
        self.init()
        self.body.deadline = time.monotonic() + BODY_S
        unreader = self.parser.unreader
        unreader.sock = self.body
        unreader.unread(self.head)
        self.head = b""

    def take_left_over(self) -> None:
        """What came behind the request that gunicorn's parser read is the next head."""
        if self.parser:
            self.head += self.parser.unreader.take_buffered()


class Waiting(OrderedDict[Connection, None]):
    """Connections in the order of their time-outs; any can be taken out at once."""

    def __getitem__(self, first: Any) -> Any:
        """gunicorn looks at the oldest one of a deque, [0]."""
        return next(iter(self)) if first == 0 else super().__getitem__(first)

    def expired(self, now_s: float) -> Iterator[Connection]:
        """Those whose time is over."""
        while self and self[0].timeout <= now_s:
            yield self[0]
