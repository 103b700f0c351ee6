"""One round trip at send time over a socket that this thread alone uses.

redis-py spends five times as long on a small request as Valkey and the kernel together (its pool,
its retries, its packing), and a content call is little more than one such request. Connecting,
with authentication and TLS, stays redis-py's; what is ours is writing some bytes and reading the
answers with hiredis, as redis-py does.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from typing import Any

import hiredis
import redis

from scoring.store.client import ANSWER_TIMEOUT_S, Client
from scoring.store.watch import NOBODY, Watch

_READ = 65_536  # bytes at a time
SLOW_S = 0.02  # an answer that takes longer, or none, makes the store slow …
SLOW_FOR_S = 1.0  # … for so long


def pack(*arguments: bytes) -> bytes:
    """One command as the server reads it (RESP2)."""
    head = b"*%d\r\n" % len(arguments)
    return head + b"".join([b"$%d\r\n%b\r\n" % (len(each), each) for each in arguments])


class Wire:
    """``client`` comes from ``connect(url, send_time=True)``; of a cluster it is used itself, as
    only it knows which node has what."""

    def __init__(
        self, client: Client, *, within_s: float | None = None, watch: Watch = NOBODY
    ) -> None:
        self._client = client
        self._watch = watch
        self._within_s = ANSWER_TIMEOUT_S if within_s is None else within_s
        self._one_server = isinstance(client, redis.Redis)
        self._mine = threading.local()
        self._slow_until = 0.0

    def ask(self, commands: Sequence[tuple[bytes, ...]]) -> list[Any]:
        """Their answers, in order; one that is an error is a redis.ResponseError in its place.
        ``within_s`` bounds all of it but connecting, which has its own limit. A connection that
        was cut while nobody used it is made anew, once.

        Raises redis.TimeoutError, redis.ConnectionError or another redis.RedisError.
        """
        if not self._one_server:
            return self._by_client(commands)
        return self.send(b"".join([pack(*command) for command in commands]), len(commands))

    def send(self, request: bytes, count: int) -> list[Any]:
        """As ask(), for ``count`` commands that are packed already; not for a cluster."""
        started = time.monotonic()
        try:
            answers = self._send(request, count)
        except BaseException:
            self._slow_until = time.monotonic() + SLOW_FOR_S
            raise
        ended = time.monotonic()
        if ended - started > SLOW_S:
            self._slow_until = ended + SLOW_FOR_S
        return answers

    @property
    def swift(self) -> bool:
        """Whether the store has answered at once lately, so that one may wait for it in a loop."""
        return time.monotonic() >= self._slow_until

    def _send(self, request: bytes, count: int) -> list[Any]:
        line: Line | None = getattr(self._mine, "line", None)
        fresh = line is None
        try:
            answers = (line or self._connect()).ask(request, count)
        except _CutError:
            self._drop()
            if fresh:
                raise redis.ConnectionError("the server closed the connection") from None
            answers = self._again(request, count)
        except BaseException:
            self._drop()  # or the next call would read our answers
            raise
        return answers

    @property
    def one_server(self) -> bool:
        """Whether all keys are on one server, which a script may then follow."""
        return self._one_server

    def _by_client(self, commands: Sequence[tuple[bytes, ...]]) -> list[Any]:
        pipe: Any = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(command[0].decode(), *command[1:])
        return list(pipe.execute(raise_on_error=False))

    def _again(self, request: bytes, count: int) -> list[Any]:
        try:
            return self._connect().ask(request, count)
        except _CutError:
            self._drop()
            raise redis.ConnectionError("the server closed the connection") from None
        except BaseException:
            self._drop()
            raise

    def _connect(self) -> Line:
        line = Line(self._client, self._within_s, self._watch)
        self._mine.line = line
        return line

    def _drop(self) -> None:
        line: Line | None = getattr(self._mine, "line", None)
        if line is not None:
            self._mine.line = None
            line.close()


class _CutError(Exception):
    """The other side closed the connection before it answered."""


class Line:
    """A connected socket and what reads it."""

    def __init__(self, client: Any, within_s: float, watch: Watch = NOBODY) -> None:
        self._within_s = within_s
        self._watch = watch
        self._connection = client.connection_pool.make_connection()
        self._connection.connect()
        self._socket: socket.socket = self._connection._sock
        self._reader = hiredis.Reader(replyError=redis.ResponseError)
        _bound(self._socket, within_s)

    def ask(self, request: bytes, count: int) -> list[Any]:
        answers: list[Any] = []
        started = time.monotonic()
        try:
            self._socket.sendall(request)
            while True:
                read = self._socket.recv(_READ)
                if not read:
                    raise _CutError
                self._reader.feed(read)
                while (answer := self._reader.gets()) is not False:
                    answers.append(answer)
                if len(answers) >= count:
                    self._watch.round_trip(time.monotonic() - started)
                    return answers
                if time.monotonic() - started > self._within_s:  # it drips
                    raise TimeoutError
        except (TimeoutError, BlockingIOError):
            raise redis.TimeoutError("no answer in time") from None
        except (BrokenPipeError, ConnectionResetError):
            raise _CutError from None
        except (OSError, hiredis.HiredisError) as problem:
            raise redis.ConnectionError(str(problem)) from problem

    def close(self) -> None:
        self._connection.disconnect()


def _bound(connected: socket.socket, within_s: float) -> None:
    """A limit to each reading and writing. On a plain socket it is the kernel's: Python's own costs
    a further system call each time, with the interpreter's lock given up and won back."""
    if isinstance(connected, ssl.SSLSocket):
        connected.settimeout(within_s)
        return
    seconds, rest = divmod(within_s, 1)
    limit = struct.pack("ll", int(seconds), int(rest * 1e6))
    connected.setblocking(True)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
