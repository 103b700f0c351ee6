"""WSGI applications over real HTTP on a port of the kernel's choice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Tests read outcomes, not logs."""


@contextmanager
def serving(app: Any, clock: Callable[[], float] = time.time) -> Iterator[str]:
    """The base URL of ``app`` while the block runs; its ``Date`` header is of ``clock``, unless
    the app has one."""

    class Handler(Quiet):
        def send_response(self, code: int, message: str | None = None) -> None:
            self.dated = False
            self.send_response_only(code, message)

        def send_header(self, keyword: str, value: str) -> None:
            self.dated = self.dated or keyword.lower() == "date"
            super().send_header(keyword, value)

        def end_headers(self) -> None:
            if not self.dated:
                self.send_header("Date", formatdate(clock(), usegmt=True))
            super().end_headers()

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    server.block_on_close = False  # a thread that hangs on purpose is not waited for
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
