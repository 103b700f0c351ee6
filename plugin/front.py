"""The front door of content calls: a right one is answered here, at little more than the cost of
its round trip to the store; every other call goes on to Flask, which knows all routes and says what
is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from plugin import auth, logs
from plugin.auth import CONTENT
from plugin.content import service
from plugin.content.asked import OVERLOADED, RATE_LIMITED
from plugin.content.call import split
from plugin.headers import SECURITY
from plugin.presented import presented
from plugin.runtime import Runtime

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]
_CONTENT = "/v1/content/"
_HEADERS = [("Content-Type", "application/json"), *SECURITY]


class Front:
    """WSGI middleware around ``app``'s own WSGI app."""

    def __init__(self, app: Flask, runtime: Runtime) -> None:
        self._behind: WsgiApp = app.wsgi_app
        self._runtime = runtime

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(_CONTENT) and environ["REQUEST_METHOD"] == "GET":
            request_id = logs.begin(environ)
            body = self._content(environ, path[len(_CONTENT) :])
            if body is not None:
                start_response(
                    "200 OK",
                    [
                        *_HEADERS,
                        ("Content-Length", str(len(body))),
                        (logs.REQUEST_ID, request_id),
                    ],
                )
                return [body]
        return self._behind(environ, start_response)

    def _content(self, environ: Environ, name: str) -> bytes | None:
        """The answer, or None when there is something to explain."""
        query: str = environ.get("QUERY_STRING", "")
        about = split(query)
        if about is None:
            return None
        customer, rest = about
        key = presented(environ)
        here = self._runtime.workspaces.get(auth.workspace_of(key) or "")
        if here is None:
            return None
        try:
            key_id = here.keys.verify(key, CONTENT).key_id
        except (auth.WrongKeyError, auth.WrongScopeError, auth.KeysError):
            return None
        call = here.calls.known(name, rest)
        if call is None:
            return None
        if self._runtime.pressure.overloaded():
            return service.respond_without_store(self._runtime, here, call, OVERLOADED)
        if not self._runtime.limits.allow(key_id):
            return service.respond_without_store(self._runtime, here, call, RATE_LIMITED)
        return service.respond(self._runtime, here, call, customer)
