"""The sandbox messaging tool as a WSGI application.

It stands in for a real tool on one's own machine: a newcomer, the tests and the demo see the whole
loop without an account. It is not made to be reached from elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from connectors.http import LOOPBACK_HOSTS
from connectors.sandbox.admin import BRAZE, AdminApi, Watched
from connectors.sandbox.braze_api import LARGEST_CALL, BrazeApi
from connectors.sandbox.braze_catalogs import CatalogsApi
from connectors.sandbox.braze_messaging import MessagingApi
from connectors.sandbox.braze_view import BrazeView
from connectors.sandbox.campaigns import Campaigns
from connectors.sandbox.dials import Dials
from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.keys import Keys, refused
from connectors.sandbox.pages import Pages
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.rendering import Renderer
from connectors.sandbox.requests_log import Call, RequestLog
from connectors.sandbox.storage import Storage
from connectors.sandbox.tools import TOOLS
from connectors.sandbox.tools.base import Bench

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
CLOSE = "sandbox_close"  # key of app.extensions: call it to end threads and files


def create_app(
    folder: Path,
    *,
    api_keys: Collection[str],
    plugin_url: str | None = None,
    credentials: Mapping[str, tuple[str, str]] | None = None,
    hosts: Collection[str] = (),
    threads: int = 16,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """A sandbox that keeps everything in ``folder``; one process, many threads.

    ``api_keys`` are taken as Braze REST keys, partner keys and for the sandbox's own API.
    ``plugin_url`` may be called by Connected Content on any port (this machine always may).
    ``credentials``: name → (user name, password) for ``:basic_auth``. ``hosts`` are further host
    names under which it may be addressed. ``threads`` messages are rendered at a time. ``clock``
    is Unix time. Raises ValueError without an API key.
    """
    keys = Keys(api_keys)
    storage = Storage(folder)
    log = RequestLog()

    def now() -> str:
        return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds")

    def observe(
        method: str, url: str, status: int | None, seconds: float, size: int, note: str
    ) -> None:
        log.add(Call("out", now(), method, url, status, int(1000 * seconds), size, note))

    for name, credential in (credentials or {}).items():
        storage.write("INSERT OR REPLACE INTO credential VALUES (?, ?, ?)", [name, *credential])
    fetcher = Fetcher(open_hosts=_host_and_port(plugin_url), observe=observe)
    profiles = Profiles(storage, now)
    renderer = Renderer(fetcher, storage.credential, storage.item)
    campaigns = Campaigns(storage, profiles, renderer, now=now, threads=threads)

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_CALL
    app.url_map.merge_slashes = False
    bench = Bench(storage, keys, log, clock)
    tools = _mount_tools(app, bench, profiles, campaigns)
    app.register_blueprint(AdminApi(storage, profiles, campaigns, tools, log).blueprint(keys))
    app.register_blueprint(Pages(storage, profiles, campaigns, log).blueprint())
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    _guard(app, LOOPBACK_HOSTS | set(hosts))

    def close() -> None:
        for tool in tools.values():
            tool.dials.closing.set()
        campaigns.close()
        storage.close()

    app.extensions[CLOSE] = close
    return app


def _mount_tools(
    app: Flask, bench: Bench, profiles: Profiles, campaigns: Campaigns
) -> dict[str, Watched]:
    """Braze at the root, the others under ``/tools``."""
    dials = Dials()
    catalogs = CatalogsApi(bench, dials)
    messaging = MessagingApi(bench, profiles, campaigns, dials)
    app.register_blueprint(BrazeApi(bench, profiles, dials, catalogs, messaging).blueprint())
    doubles = {name: double(bench) for name, double in TOOLS.items()}
    for double in doubles.values():
        app.register_blueprint(double.blueprint())
    return {BRAZE: BrazeView(profiles, dials, catalogs, messaging), **doubles}


def _guard(app: Flask, hosts: Collection[str]) -> None:
    """Only by a known host name (a page elsewhere could rebind its own to this machine)."""

    @app.before_request
    def known_host() -> Response | None:
        host = urlsplit(f"//{request.host}").hostname
        return None if host in hosts else refused(403, "the sandbox is not known by this host name")

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def in_our_shape(error: HTTPException) -> Response:
        answer = refused(error.code or 500, error.description or error.name)
        answer.headers.extend(
            (name, value)
            for name, value in error.get_headers()
            if name.lower() not in ("content-type", "content-length")
        )
        return answer


def _host_and_port(url: str | None) -> tuple[str, ...]:
    if url is None:
        return ()
    parts = urlsplit(url)
    return (f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}",)
