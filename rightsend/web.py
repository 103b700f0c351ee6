"""WSGI servers: the plugin and the sandbox tool under gunicorn, from inside Python.

Workers are many-threaded (gthread) and load the application after the fork, so that none inherits
a connection.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config

from plugin import gunicorn_conf
from rightsend.process import die_with_parent

_TAKES_OVER = "GUNICORN_FD"


class Server(BaseApplication):
    """gunicorn with options given as a mapping and the application as a function."""

    def __init__(self, application: Callable[[], Any], options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._application()


def serve(
    application: Callable[[], Any],
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    ready: Callable[[Any], None] | None = None,
) -> None:
    """Serves until SIGTERM; does not return. ``ready`` gets every gunicorn worker once it stands.

    With the settings of plugin.gunicorn_conf, which docs/operations.md gives the reasons for.
    """
    known = Config().settings
    options = {name: value for name, value in vars(gunicorn_conf).items() if name in known}
    options |= {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "post_fork": _post_fork,
        "post_worker_init": ready or _nothing,
    }
    Server(application, options).run()


def fresh_metrics_folder(folder: Path) -> None:
    """Where the workers put their counts; those of workers long gone are dropped, but not in a
    server that takes over from a running one (USR2)."""
    if _TAKES_OVER not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[gunicorn_conf.MULTIPROCESS_VARIABLE] = str(folder)


def _post_fork(server: Any, worker: Any) -> None:
    gunicorn_conf.post_fork(server, worker)
    die_with_parent(signal.SIGKILL, parent=server.pid)


def _nothing(_worker: Any) -> None:
    """The sandbox has nothing to prepare."""
