"""What gunicorn serves in benchmarks.serving: the plugin, and the bare app that it is held against.

The places come from the environment, as gunicorn's workers import this.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from plugin.web_worker import Worker

SECRET = "a secret for benchmarks, of no use anywhere"
BARE_KEY = "bare"


class InLoop(Worker):
    """A bare app is always over in a moment, so it is answered where content calls are."""

    def enqueue_req(self, conn: Any) -> None:
        self._answered(conn, bool(self._by_app(conn)))


def plugin() -> Any:
    """The plugin over the state folder of the benchmark."""
    from plugin.app import create_app
    from settings.workspace import LimitSettings, Settings, WorkspaceSettings

    state = Path(os.environ["SERVING_STATE"])
    workspace = WorkspaceSettings("scale", state / "scale.yaml", ())
    settings = Settings(
        file=state / "rightsend.yaml",
        state_dir=state,
        workspaces={"scale": workspace},
        secret=SECRET,
        limits=LimitSettings(content_per_s=None),
        log_level="warning",
    )
    return create_app(settings, redis_url=os.environ["SERVING_STORE"])


def bare() -> Callable[..., Iterable[bytes]]:
    """One GET of an answer's bytes by redis-py (with hiredis), and no more."""
    import redis

    client = redis.Redis.from_url(os.environ["SERVING_STORE"])

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return _found(client.get(BARE_KEY), start_response)

    return app


def bare_wire() -> Callable[..., Iterable[bytes]]:
    """The same by the plugin's own way to the store (scoring.store.wire)."""
    from scoring.store.client import connect
    from scoring.store.wire import Wire

    wire = Wire(connect(os.environ["SERVING_STORE"], send_time=True))
    command = [(b"GET", BARE_KEY.encode())]

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return _found(wire.ask(command)[0], start_response)

    return app


def _found(body: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
