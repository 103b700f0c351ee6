"""A web worker loads the catalogue before the first customer asks, not while one waits, and looks
how far the workers before it came."""

from __future__ import annotations

import threading
from typing import Any

from plugin import gunicorn_conf
from plugin.runtime import Workspace, runtime
from scoring.store.errors import StoreUnavailable

LOOK_EVERY_S = 1.0


def start(worker: Any) -> None:
    """In a gunicorn worker that stands: loads what is published now, or as soon as something is."""
    gunicorn_conf.post_worker_init(worker)
    with worker.app.wsgi().app_context():
        cold = list(runtime().workspaces.values())
    for workspace in cold:
        workspace.decisions.start()
    threading.Thread(target=_warm, args=(cold,), name="warming", daemon=True).start()


def _warm(cold: list[Workspace]) -> None:
    pause = threading.Event()
    while cold := [workspace for workspace in cold if not _is_warm(workspace)]:
        pause.wait(LOOK_EVERY_S)


def _is_warm(workspace: Workspace) -> bool:
    try:
        workspace.reader.published()
    except StoreUnavailable:
        return False
    return True
