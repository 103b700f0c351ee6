"""gunicorn settings of the bare apps: the plugin's own, without what reaches into the plugin."""

from typing import Any

from plugin.gunicorn_conf import *  # noqa: F403


def post_worker_init(worker: Any) -> None:
    """A bare app is always over in a moment, so it is answered as content calls are."""
    worker.quick = lambda _head: True
