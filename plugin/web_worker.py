"""gunicorn's worker of threads, made safe against clients that are slow on purpose or by accident.

gthread gives a connection to a thread before anything arrived on it, and closes connections in the
loop that all others wait for: a few clients that send nothing, half a request, or do not hang up,
stop a worker for seconds. Here a thread gets a connection when the head of its request is complete;
a body must arrive within ``BODY_S``, an answer be taken within ``SEND_S``; connections are closed
without waiting (RFC 9112, 9.6). What cannot be parsed is answered like any other error, and neither
the answer nor the log repeats it, as it may hold a customer's id or a key.
"""

from __future__ import annotations

import contextlib
import errno
import re
import selectors
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import lru_cache, partial
from typing import Any

from gunicorn.http import errors
from gunicorn.util import http_date
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from plugin import logs
from plugin.handover import MOST_S, handover
from plugin.plain_get import PlainGet, plain_get
from plugin.refusals import TIMEOUT, refusal, status_of

HEAD_S = 5.0  # for a head, from its first byte
HEAD_BYTES = 65_536
BODY_S = 10.0  # for a whole body
SEND_S = 5.0  # without the client taking anything
LINGER_S = 2.0  # for the client to hang up
_LINGER_BYTES = 65_536
_DRAIN_S = 0.05  # for a body that nobody read, before the connection is used again
_BUSY_S = 1.0  # how long this thread may have waited for the processor
_LEAST_S = 0.005
_AT_ONCE = 8  # new connections a round of the loop: fewer would wait behind all that are there
_LOOK_S = 0.05  # while it waits for those that replace it
_TIMEVAL = struct.Struct("ll")
_PATIENT = _TIMEVAL.pack(int(SEND_S), 0)
_BODY = re.compile(rb"\n(?:content-length|transfer-encoding)", re.IGNORECASE)
_BRIEF = _TIMEVAL.pack(0, 50_000)  # in the loop: a client that takes nothing is not waited for


_HEADS = tuple(  # by whether the connection is kept
    b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: %%b\r\nConnection: %b\r\n" % connection
    for connection in (b"close", b"keep-alive")
)


class AppError(Exception):
    """The app failed with an OSError, such as a file that it may not read: answered 500. One of a
    connection has nobody left to be answered."""


def _own_faults(app: Any, environ: Any, start_response: Any) -> Any:
    """Calls a WSGI app. Raises AppError for its OSError."""
    try:
        return app(environ, start_response)
    except OSError as problem:
        raise AppError from problem


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


class _Connection(TConn):
    """``head``: what arrived of the next request and was not given to a thread yet; ``among``:
    those that wait for the same, while it is not with a thread."""

    among: _Waiting

    def __init__(self, *details: Any) -> None:
        super().__init__(*details)
        self.head = b""
        self.body = _Bounded(self.sock)
        self.discarded = 0
        self.readable: Callable[[socket.socket], None] = _nothing

    def begin(self) -> None:
        """In the thread: the parser finds the head where it reads."""
        self.data_ready = True
        self.init()
        self.body.deadline = time.monotonic() + BODY_S
        unreader = self.parser.unreader
        unreader.sock = self.body
        unreader.unread(self.head)
        self.head = b""

    def left_over(self) -> bytes:
        """What came behind the request that was answered."""
        return self.parser.unreader.take_buffered() if self.parser else b""


def _never(_head: bytes) -> bool:
    return False


def _no_answer(_asked: PlainGet) -> bytes | None:
    return None


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    """The header's value, made once a second."""
    return str(http_date(second)).encode()


def _nothing(_sock: socket.socket) -> None:
    """Nobody reads a connection that the loop does not know yet."""


def _taken(sock: socket.socket, answer: bytes) -> int:
    """How many bytes of it could be sent at once."""
    try:
        return sock.send(answer)
    except BlockingIOError:
        return 0
    except OSError:
        return len(answer)  # the client is gone: nobody waits for the rest


def _sent(sock: socket.socket, answer: bytes) -> bool:
    """Sends all of it, waiting as long as the socket's own limit says."""
    try:
        sock.setblocking(True)
        sock.sendall(answer)
    except OSError:
        return False
    return True


class _Waiting(OrderedDict[_Connection, None]):
    """Connections in the order of their time-outs; any can be taken out at once."""

    def __getitem__(self, first: Any) -> Any:
        """gunicorn looks at the oldest one of a deque, [0]."""
        return next(iter(self)) if first == 0 else super().__getitem__(first)

    def expired(self, now_s: float) -> Iterator[_Connection]:
        """Those whose time is over."""
        while self and self[0].timeout <= now_s:
            yield self[0]


class Worker(ThreadWorker):
    """``-k plugin.web_worker.Worker``. TLS ends in front of it.

    What ``quick`` says of a head is answered in the loop itself: handing a request to a thread and
    its connection back costs more than a content call does, and threads that want the interpreter
    lock make each other wait. It must only say so of what is over in a moment.
    """

    wsgi: Any
    quick: Callable[[bytes], bool] = staticmethod(_never)
    # the end of the answer's head, and its body, where that needs no WSGI
    answer_plain: Callable[[PlainGet], bytes | None] = staticmethod(_no_answer)

    def __init__(self, *details: Any, **more: Any) -> None:
        super().__init__(*details, **more)
        self.keepalived_conns = _Waiting()
        self.pending_conns = _Waiting()  # nothing arrived yet
        self._partial = _Waiting()  # a part of a head arrived
        self._lingering = _Waiting()  # answered, until the client hangs up
        self._stop_by: float | None = None  # told to stop, while nobody else takes calls yet
        self._ready = 0  # connections that this round of the loop has not looked at yet

    def load_wsgi(self) -> None:
        """The app, with its own faults told apart from those of connections."""
        super().load_wsgi()
        self.wsgi = partial(_own_faults, self.wsgi)

    def run(self) -> None:
        """The loop."""
        handover.ready(self.age)
        super().run()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: at once, but in a reload not before others are ready. A second one is meant."""
        if self._stop_by is None and not handover.replaced(self.age, self.cfg.workers):
            self._stop_by = time.monotonic() + MOST_S
        else:
            super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When stopping: first takes in who has connected already, then nobody is told that
        somebody listens here."""
        stops = not self.alive and not enabled
        if stops and self.nr < self.max_requests:  # a recycled worker leaves them to the others
            for listener in self.sockets:
                while self._take_in(listener):
                    pass
        super().set_accept_enabled(enabled)
        if stops:
            for listener in self.sockets:
                listener.close()

    def accept(self, listener: Any) -> None:
        """New connections; the one that was idle longest goes when there are too many."""
        for _ in range(_AT_ONCE):
            if not self._take_in(listener):
                return
            if self.nr_conns >= self.worker_connections:
                self._close_idle()

    def _close_idle(self) -> None:
        """The one that was idle longest; both kinds wait equally long, each in its order."""
        first = [waiting[0] for waiting in (self.keepalived_conns, self.pending_conns) if waiting]
        if first:
            self._close(min(first, key=lambda connection: connection.timeout))

    @property
    def waiting(self) -> int:
        """Calls that have arrived and are not worked on yet, as far as this process knows."""
        return self._ready + self.tpool._work_queue.qsize()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gunicorn's, and counts what is left."""
        if self._stop_by is not None:
            timeout = min(timeout, _LOOK_S)
            if time.monotonic() > self._stop_by or handover.replaced(self.age, self.cfg.workers):
                self._stop_by, self.alive = None, False
                return
        try:
            events = self.poller.select(timeout)
        except InterruptedError:
            return
        self._ready = len(events)
        for key, _ in events:
            self._ready -= 1
            key.data(key.fileobj)

    def handle(self, conn: _Connection) -> Any:
        """One request, in a thread."""
        try:
            answer, again = self._plain_answer(conn)
            if answer is None:
                return self._by_app(conn)
            return _sent(conn.sock, answer) and again
        except Exception as problem:  # noqa: BLE001  the caller is owed an answer, whatever it is
            self.handle_error(None, conn.sock, None, problem)
            return False
        finally:
            logs.end()

    def _by_app(self, connection: _Connection) -> Any:
        """Parsed by gunicorn, answered by the WSGI app."""
        connection.begin()
        return super().handle(connection)

    def _plain_answer(self, connection: _Connection) -> tuple[bytes | None, bool]:
        """A whole answer to a plain call and whether another one may follow; None: not plain."""
        if not self.alive or self.nr + 1 >= self.max_requests:
            return None, False
        asked = plain_get(connection.head)
        if asked is None:
            return None, False
        try:
            answer = self.answer_plain(asked)
        except OSError as problem:
            raise AppError from problem
        if answer is None:
            return None, False
        self.nr += 1
        connection.head = b""
        again = asked.again and len(self.keepalived_conns) < self.max_keepalived
        return _HEADS[again] % _date(int(time.time())) + answer, again

    def handle_request(self, req: Any, conn: _Connection) -> Any:
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:  # SEND_S are over
            raise ConnectionResetError(errno.ECONNRESET, "the client takes no answer") from None

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers what could not be parsed, or an app that failed."""
        status = status_of(exc)
        if status == 500:
            logs.log.error("exception", route="unknown", exc_info=exc)
        else:
            logs.log.info("malformed request", status=status, problem=type(exc).__name__)
        with contextlib.suppress(OSError):
            client.sendall(refusal(status))

    def finish_request(self, conn: _Connection, fs: Future[Any]) -> None:
        """In the loop: waits for the next request, or for the client to hang up."""
        if fs.cancelled() or fs.exception() or not fs.result():
            self._linger(conn)
            return
        within_s = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        conn.head = conn.left_over()
        self._expect(conn, self.keepalived_conns, within_s)
        if conn.head:
            self._go_on(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Closes what was idle too long, or all that is idle."""
        now_s = float("inf") if force else time.monotonic()
        for waiting in (self.keepalived_conns, self.pending_conns, self._lingering):
            for connection in waiting.expired(now_s):
                self._close(connection)

    def murder_pending(self) -> None:
        """Refuses heads that took too long."""
        for connection in self._partial.expired(time.monotonic()):
            self._refuse(connection, TIMEOUT)

    def _cap_keepalive(self, deadline: float) -> None:
        for waiting in (self.keepalived_conns, self.pending_conns):
            for connection in waiting:
                connection.timeout = min(connection.timeout, deadline)

    def _keepalive_after(self, conn: _Connection, keepalive: bool) -> bool:
        """Whether the connection can be used again: what is left of a body is not waited for."""
        conn.body.deadline = time.monotonic() + _DRAIN_S
        return keepalive and bool(conn.parser.finish_body(max_bytes=_LINGER_BYTES))

    def _take_in(self, listener: Any) -> bool:
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return False
        self.nr_conns += 1
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENT)
        connection = _Connection(self.cfg, sock, address, listener.getsockname())
        connection.readable = partial(self._read, connection)
        self._expect(connection, self.pending_conns, self.cfg.keepalive)
        self._read(connection, sock)
        return True

    def _expect(self, connection: _Connection, among: _Waiting, within_s: float) -> None:
        """Something from the client within so many seconds."""
        connection.sock.setblocking(False)
        connection.timeout = time.monotonic() + within_s
        connection.among = among
        among[connection] = None
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._read, connection))

    def _forget(self, connection: _Connection) -> None:
        """The loop waits no longer for anything from it."""
        self.poller.unregister(connection.sock)
        del connection.among[connection]

    def _read(self, connection: _Connection, sock: socket.socket) -> None:
        """Something arrived, maybe enough."""
        try:
            data = sock.recv(HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if connection.among is self._lingering:
            connection.discarded += len(data)
            if data and connection.discarded < _LINGER_BYTES:
                return
        elif data:
            connection.head += data
            self._go_on(connection)
            return
        self._close(connection)

    def _go_on(self, connection: _Connection) -> None:
        """With what arrived: to a thread, refused, or on waiting."""
        status = self._refused(connection.head)
        if status:
            self._refuse(connection, status)
        elif b"\r\n\r\n" in connection.head:
            if self.quick(connection.head) and not _BODY.search(connection.head):
                self._answer(connection)
                return
            self._forget(connection)
            self.enqueue_req(connection)
        elif connection.among is not self._partial:
            self._forget(connection)
            self._expect(connection, self._partial, HEAD_S)

    def _answer(self, connection: _Connection) -> None:
        """In the loop: the connection stays where it is, and waits for the next request."""
        try:
            again = self._in_loop(connection)
        except Exception as problem:  # noqa: BLE001  here it would end the worker
            self.handle_error(None, connection.sock, None, problem)
            again = False
        finally:
            logs.end()
        if not again:
            self._forget(connection)
            self._linger(connection)
            return
        del connection.among[connection]
        connection.among = self.keepalived_conns
        connection.timeout = time.monotonic() + (
            self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        )
        connection.among[connection] = None
        connection.head = connection.left_over()
        if connection.head:  # the next request is there already; others are first
            self.method_queue.defer(self._go_on_if_open, connection)

    def _in_loop(self, connection: _Connection) -> Any:
        """One request; a client that does not take its answer is not waited for."""
        sock = connection.sock
        answer, again = self._plain_answer(connection)
        if answer is not None:
            answer = answer[_taken(sock, answer) :]
            if not answer:  # nearly always
                return again
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _BRIEF)
        again = self._by_app(connection) if answer is None else _sent(sock, answer) and again
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENT)
        sock.setblocking(False)
        return again

    def _go_on_if_open(self, connection: _Connection) -> None:
        if connection.head and connection in connection.among:
            self._go_on(connection)

    def _refused(self, head: bytes) -> int | None:
        """The status, when a head is not worth to be waited for any longer."""
        end = head.find(b"\r\n\r\n")
        if 0 <= end <= HEAD_BYTES:
            return None
        if len(head) > self.cfg.limit_request_line + 2 and b"\n" not in head:
            return status_of(errors.LimitRequestLine(len(head), self.cfg.limit_request_line))
        if len(head) > HEAD_BYTES:
            return status_of(errors.LimitRequestHeaders("head"))
        return status_of(errors.InvalidHeader("line end")) if b"\n\n" in head else None

    def _refuse(self, connection: _Connection, status: int) -> None:
        logs.end()  # it is no request, and not the one before it
        logs.log.info("malformed request", status=status, problem="head")
        with contextlib.suppress(OSError):
            connection.sock.send(refusal(status))
        self._forget(connection)
        self._linger(connection)

    def _linger(self, connection: _Connection) -> None:
        """Says that nothing follows and waits for the client to hang up: closed at once, it
        might lose the end of the answer."""
        try:
            connection.sock.shutdown(socket.SHUT_WR)
            self._expect(connection, self._lingering, LINGER_S)
        except (OSError, ValueError):  # it was quicker
            self.nr_conns -= 1
            connection.close()
            return
        self._read(connection, connection.sock)

    def _close(self, connection: _Connection) -> None:
        self._forget(connection)
        self.nr_conns -= 1
        connection.close()
