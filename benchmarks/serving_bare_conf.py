"""gunicorn settings of the bare apps: the plugin's own, without what reaches into the plugin."""

from typing import Any

from plugin.gunicorn_conf import *  # noqa: F403

worker_class = "benchmarks.serving_apps.InLoop"


def post_worker_init(_worker: Any) -> None:
    """A bare app has nothing to tell."""
