"""gunicorn settings of the bare apps: the plugin's own, without what reaches into the plugin."""

from plugin.gunicorn_conf import *  # noqa: F403


def post_worker_init(_worker: object) -> None:
    """A bare app has nothing to be told."""
