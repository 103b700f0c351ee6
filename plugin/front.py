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
from plugin.content.call import split
from plugin.headers import SECURITY
from plugin.plain_get import PlainGet
from plugin.presented import presented
from plugin.runtime import Runtime

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]
_CONTENT = "/v1/content/"
_HEADERS = [("Content-Type", "application/json"), *SECURITY]


# what of a request's headers matters here, as a WSGI environment names it
_HEARD = {
    "X-API-KEY": "HTTP_X_API_KEY",
    "AUTHORIZATION": "HTTP_AUTHORIZATION",
    "X-REQUEST-ID": "HTTP_X_REQUEST_ID",
}
_HEAD = (
    "".join(f"{name}: {value}\r\n" for name, value in _HEADERS).encode().replace(b"%", b"%%")
    + f"Content-Length: %d\r\n{logs.REQUEST_ID}: %b\r\n\r\n".encode()
)


class Front:
    """WSGI middleware around ``app``'s own WSGI app; ``answer_plain`` is the same without WSGI, for
    our own gunicorn worker: an environment and a response cost as much as an answer does."""

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

    def answer_plain(self, asked: PlainGet) -> bytes | None:
        """The end of a response's head, and its body; None: ask the WSGI app."""
        if not asked.path.startswith(_CONTENT):
            return None
        environ: Environ = {"QUERY_STRING": asked.query}
        for name, value in asked.headers.items():
            if name in _HEARD:
                environ[_HEARD[name]] = value
        request_id = logs.begin(environ)
        body = self._content(environ, asked.path[len(_CONTENT) :])
        return None if body is None else _HEAD % (len(body), request_id.encode()) + body

    def _content(self, environ: Environ, name: str) -> bytes | None:
        """The answer, or None when there is something to explain."""
        query: str = environ.get("QUERY_STRING", "")
        about = split(query)
        if about is None:
            return None
        customer, rest = about
        key = presented(environ)
        here = self._runtime.workspaces.get(auth.workspace_of(key) or "")
        try:  # the same work for workspaces that are not there
            key_id = (here.keys if here else self._runtime.no_keys).verify(key, CONTENT).key_id
        except (auth.WrongKeyError, auth.WrongScopeError, auth.KeysError):
            return None
        if here is None:
            return None
        call = here.calls.known(name, rest)
        if call is None:
            return None
        return service.answered(self._runtime, here, call, customer, key_id)
