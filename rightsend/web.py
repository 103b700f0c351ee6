"""WSGI servers: the plugin and the sandbox tool under gunicorn, from inside Python.

Workers are many-threaded (gthread) and load the application after the fork, so that none inherits
a connection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from rightsend.process import die_with_parent

PROMETHEUS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
GRACE_S = 5


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
    warm: Callable[[Any], None] | None = None,
) -> None:
    """Serves until SIGTERM; does not return. ``warm`` gets every gunicorn worker once it stands."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "graceful_timeout": GRACE_S,
        "keepalive": 75,
        "timeout": 60,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "post_fork": _post_fork,
        "post_worker_init": warm or _no_warming,
        "child_exit": _child_exit,
        "loglevel": "warning",
    }
    Server(application, options).run()


def fresh_metrics_folder(folder: Path) -> None:
    """Where the workers put their counts; those of workers long gone are dropped."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[PROMETHEUS_VARIABLE] = str(folder)


def _post_fork(server: Any, _worker: Any) -> None:
    die_with_parent(signal.SIGKILL, parent=server.pid)


def _no_warming(_worker: Any) -> None:
    """The sandbox loads nothing ahead."""


def _child_exit(_server: Any, worker: Any) -> None:
    if os.environ.get(PROMETHEUS_VARIABLE):
        from prometheus_client import multiprocess

        with contextlib.suppress(OSError):
            multiprocess.mark_process_dead(worker.pid)
