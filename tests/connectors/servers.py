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
    """The base URL of ``app`` while the block runs; its ``Date`` header is of ``clock``."""

    class Handler(Quiet):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(clock(), usegmt=True)

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
