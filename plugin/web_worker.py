"""gunicorn's worker of threads, made safe against clients that are slow on purpose or by accident.

gthread gives a connection to a thread before anything arrived on it, sends while the thread waits,
and closes connections in the loop that all others wait for: a few clients that send nothing, half a
request, take no answer, or do not hang up, stop a worker for seconds. Here a thread gets a
connection when the head of its request is complete; a body must arrive within ``BODY_S``; what a
client does not take at once is sent by the loop; connections are closed without waiting (RFC 9112,
9.6). What cannot be parsed is answered like any other error, and neither the answer nor the log
repeats it, as it may hold a customer's id or a key.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache, partial
from typing import Any

from gunicorn.http import errors
from gunicorn.util import http_date
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from plugin import logs
from plugin.handover import MOST_S, handover
from plugin.plain_get import PlainGet, plain_get
from plugin.refusals import TIMEOUT, refusal, status_of
from plugin.web_connection import RATE, SEND_S, Connection, Outgoing, Waiting

HEAD_S = 5.0  # for a head, from its first byte
HEAD_BYTES = 65_536
LINGER_S = 2.0  # for the client to hang up
_LINGER_BYTES = 65_536
_DRAIN_S = 0.05  # for a body that nobody read, before the connection is used again
# A round takes in one new connection, so that all workers get their share; under load more, by the
# square of how many are ready: else new ones would wait behind all that are there.
_MANY_READY = 512
_LOOK_S = 0.05  # while it waits for those that replace it
_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)

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


def _never(_head: bytes) -> bool:
    return False


def _no_answer(_asked: PlainGet) -> bytes | None:
    return None


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    """The header's value, made once a second."""
    return str(http_date(second)).encode()


class Worker(ThreadWorker):
    """``-k plugin.web_worker.Worker``. TLS ends in front of it.

    A plain request whose head ``quick`` accepts is answered in the loop itself: handing a request
    to a thread and its connection back costs more than a content call does, and threads that want
    the interpreter lock make each other wait. It must only accept what is over in a moment.
    """

    wsgi: Any
    quick: Callable[[bytes], bool] = staticmethod(_never)
    # the end of the answer's head, and its body, where that needs no WSGI
    answer_plain: Callable[[PlainGet], bytes | None] = staticmethod(_no_answer)

    def __init__(self, *details: Any, **more: Any) -> None:
        super().__init__(*details, **more)
        self.keepalived_conns = Waiting()
        self.pending_conns = Waiting()  # nothing arrived yet
        self._partial = Waiting()  # a part of a head arrived
        self._writing = Waiting()  # the client has not taken all of an answer yet
        self._lingering = Waiting()  # answered, until the client hangs up
        self._pipelined: deque[Connection] = deque()  # whose next request is there already
        self._stop_by: float | None = None  # told to stop, while nobody else takes calls yet
        self._ready = 0  # connections that this round of the loop has not looked at yet
        self._round_at = 0.0  # when this round began …
        self._size = 0  # … and how many were ready then
        self._loop = 0  # the loop's thread
        self._mine = threading.local()  # of other threads: when their request was put in the queue

    def load_wsgi(self) -> None:
        """The app, with its own faults told apart from those of connections."""
        super().load_wsgi()
        self.wsgi = partial(_own_faults, self.wsgi)

    def run(self) -> None:
        """The loop."""
        self._loop = threading.get_ident()
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
        for _ in range(1 + self._size**2 // _MANY_READY):
            if not self._take_in(listener):
                return
            if self.nr_conns >= self.worker_connections:
                self._close_idle()

    @property
    def waiting(self) -> int:
        """Calls that have arrived and are not worked on yet, as far as this process knows."""
        return self._ready + self.tpool._work_queue.qsize()

    def waited_s(self) -> float:
        """For how long the request has waited that the thread which asks is answering. In the loop
        it may have arrived as soon as the round before began, which lasted about as long."""
        now_s = time.monotonic()
        if threading.get_ident() == self._loop:
            return 2 * (now_s - self._round_at)
        return now_s - float(getattr(self._mine, "queued_at", now_s))

    def enqueue_req(self, conn: Connection) -> None:
        """For a thread."""
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """A round: all that is ready, once each."""
        if self._stop_by is not None:
            timeout = min(timeout, _LOOK_S)
            if time.monotonic() > self._stop_by or handover.replaced(self.age, self.cfg.workers):
                self._stop_by, self.alive = None, False
                return
        try:
            events = self.poller.select(0.0 if self._pipelined else timeout)
        except InterruptedError:
            return
        self._round_at = time.monotonic()
        pipelined = len(self._pipelined)
        self._ready = self._size = len(events) + pipelined
        for key, _ in events:
            self._ready -= 1
            self._safely(key.data, key.fileobj)
        for _ in range(pipelined):
            self._ready -= 1
            self._safely(self._go_on, self._pipelined.popleft())

    def handle(self, conn: Connection) -> Any:
        """One request, in a thread."""
        self._mine.queued_at = conn.queued_at
        try:
            answer, again = self._plain(conn)
            if answer is None:
                return self._by_app(conn)
            conn.sock.sendall(answer)
            return again
        finally:
            logs.end()

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """By the WSGI app."""
        try:
            if _says_close(req):
                req.force_close()
            return super().handle_request(req, conn)
        except BlockingIOError:  # SEND_S are over
            raise ConnectionResetError(errno.ECONNRESET, "the client takes no answer") from None

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers what could not be parsed, or an app that failed."""
        status = status_of(exc)
        if status == 500:
            logs.log.error("exception", route="unknown", exc_info=exc)
        else:
            logs.malformed(status, type(exc).__name__)
        with contextlib.suppress(OSError):
            client.sendall(refusal(status))

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """In the loop, after a thread."""
        again = False
        if not fs.cancelled():
            problem = fs.exception()
            again = problem is None and bool(fs.result())
            if problem is not None and not isinstance(problem, OSError):
                logs.log.error("exception", route="unknown", exc_info=problem)
        self._safely(self._answered, conn, again)

    def murder_keepalived(self, force: bool = False) -> None:
        """Closes what was idle too long, or all that is idle."""
        now_s = float("inf") if force else time.monotonic()
        for waiting in (self.keepalived_conns, self.pending_conns, self._lingering, self._writing):
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

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Whether the connection can be used again: what is left of a body is not waited for."""
        conn.body.deadline = time.monotonic() + _DRAIN_S
        return keepalive and bool(conn.parser.finish_body(max_bytes=_LINGER_BYTES))

    def _safely(self, step: Callable[..., None], *about: Any) -> None:
        """A step of the loop: whatever a client may cause ends no worker, but its connection."""
        try:
            step(*about)
        except Exception:  # noqa: BLE001
            logs.log.exception("exception", route="unknown")
            for each in (*about, *getattr(step, "args", ())):
                if isinstance(each, Connection):
                    with contextlib.suppress(Exception):
                        self._close(each)

    def _take_in(self, listener: Any) -> bool:
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_MORE_FILES:
                logs.seldom("no more open files")
                self._close_idle()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return False
        self.nr_conns += 1
        sock = Outgoing.of(accepted)
        connection = Connection(self.cfg, sock, address, listener.getsockname())
        self._expect(connection, self.pending_conns, self.cfg.keepalive)
        self._read(connection, sock)
        return True

    def _close_idle(self) -> None:
        """The connection that was idle longest."""
        idle = [waiting[0] for waiting in (self.pending_conns, self.keepalived_conns) if waiting]
        if idle:
            self._close(min(idle, key=lambda connection: connection.timeout))

    def _expect(
        self,
        connection: Connection,
        among: Waiting,
        within_s: float,
        event: int = selectors.EVENT_READ,
    ) -> None:
        """Something from the client within so many seconds."""
        sock = connection.sock
        sock.setblocking(False)
        connection.timeout = time.monotonic() + within_s
        step = self._read if event == selectors.EVENT_READ else self._write
        self.poller.register(sock, event, partial(step, connection))
        connection.among = among
        among[connection] = None

    def _forget(self, connection: Connection) -> None:
        """The loop waits no longer for anything from it."""
        if connection.among is not None:
            del connection.among[connection]
            connection.among = None
            self.poller.unregister(connection.sock)

    def _read(self, connection: Connection, sock: socket.socket) -> None:
        """Something arrived, maybe enough."""
        if connection.among is None or connection.among is self._writing:
            return  # of this round, but another step was first
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

    def _write(self, connection: Connection, sock: Outgoing) -> None:
        """The client takes more of its answer."""
        if connection.among is not self._writing:
            return
        try:
            done = sock.flush()
        except OSError:
            self._close(connection)
            return
        if done:
            self._answered(connection, connection.again)
            return
        connection.timeout = min(time.monotonic() + SEND_S, connection.send_by)
        self._writing.move_to_end(connection)

    def _go_on(self, connection: Connection) -> None:
        """With what arrived: answered, to a thread, refused, or on waiting."""
        head = connection.head
        status = self._refused(head)
        if status:
            self._refuse(connection, status)
        elif b"\r\n\r\n" in head:
            answer, again = self._plain(connection) if self.quick(head) else (None, False)
            if answer is None:
                self._forget(connection)
                self.enqueue_req(connection)
                return
            logs.end()
            try:
                connection.sock.sendall(answer)
            except OSError:
                again = False  # the client is gone
            self._answered(connection, again)
        elif connection.among is not self._partial:
            self._forget(connection)
            self._expect(connection, self._partial, HEAD_S)

    def _plain(self, connection: Connection) -> tuple[bytes | None, bool]:
        """A whole answer to a plain call and whether another one may follow; None: not plain."""
        if not self.alive or self.nr + 1 >= self.max_requests:
            return None, False
        asked = plain_get(connection.head)
        if asked is None:
            return None, False
        try:
            answer = self.answer_plain(asked)
        except Exception:  # noqa: BLE001  the caller is owed an answer, whatever it is
            logs.log.exception("exception", route="unknown")
            connection.head = b""
            return refusal(500), False
        if answer is None:
            return None, False
        self.nr += 1
        connection.head = b""
        again = asked.again and len(self.keepalived_conns) < self.max_keepalived
        return _HEADS[again] % _date(int(time.time())) + answer, again

    def _by_app(self, connection: Connection) -> Any:
        """Parsed by gunicorn, answered by the WSGI app."""
        connection.begin()
        return super().handle(connection)

    def _answered(self, connection: Connection, again: bool) -> None:
        """After an answer: the rest of it, the next request, or the end."""
        if connection.sock.unsent:
            self._forget(connection)
            size_s = connection.sock.unsent / RATE
            connection.again = again
            connection.send_by = time.monotonic() + SEND_S + size_s
            self._expect(connection, self._writing, SEND_S, selectors.EVENT_WRITE)
            return
        if not again:
            self._forget(connection)
            self._linger(connection)
            return
        connection.take_left_over()
        if connection.head:  # others are first; and nothing more is read until that is answered
            self._forget(connection)
            self._pipelined.append(connection)
            return
        within_s = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        if connection.among is None or connection.among is self._writing:
            self._forget(connection)
            self._expect(connection, self.keepalived_conns, within_s)
            return
        del connection.among[connection]  # answered in the loop, which goes on to read from it
        connection.timeout = time.monotonic() + within_s
        connection.among = self.keepalived_conns
        connection.among[connection] = None

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

    def _refuse(self, connection: Connection, status: int) -> None:
        logs.end()  # it is no request, and not the one before it
        logs.malformed(status, "head")
        with contextlib.suppress(OSError):
            connection.sock.sendall(refusal(status))
        self._answered(connection, again=False)

    def _linger(self, connection: Connection) -> None:
        """Says that nothing follows and waits for the client to hang up: closed at once, it
        might lose the end of the answer."""
        try:
            connection.sock.shutdown(socket.SHUT_WR)
            self._expect(connection, self._lingering, LINGER_S)
        except (OSError, ValueError):  # it was quicker
            self._close(connection)
            return
        self._read(connection, connection.sock)

    def _close(self, connection: Connection) -> None:
        if connection.sock.fileno() < 0:
            return  # a step that failed after it
        self._forget(connection)
        self.nr_conns -= 1
        connection.close()


def _says_close(request: Any) -> bool:
    """Also where it is one of several options, which gunicorn does not look for."""
    return any(
        name == "CONNECTION" and "close" in [option.strip() for option in value.lower().split(",")]
        for name, value in request.headers
    )
