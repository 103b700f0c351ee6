"""Who is asking: the key of a request, its workspace and its scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from plugin import auth, logs
from plugin.auth import ADMIN, CONTENT, SEGMENTS
from plugin.errors import CODES, fail
from plugin.presented import presented
from plugin.runtime import Workspace, runtime

SCHEMES: dict[str, dict[str, str]] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as password (any user name), or as user name.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The key."},
}
_ADMINISTRATION = (SEGMENTS, ADMIN)
_CHALLENGE = 'Basic realm="rightsend", charset="UTF-8"'

View = TypeVar("View", bound=Callable[..., Any])


def scoped(scope: str, *, store: bool = False, counted: bool = True) -> Callable[[View], View]:
    """A view for keys of this scope; outermost: nothing is read before the key is checked.

    ``store``: it writes or queues, and is refused with 503 at once while the store is away.
    ``counted``: False for what must be answered without the store (plugin.limits).
    """
    limited = counted and scope != CONTENT  # content is never refused: its own path asks

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            here = authenticate(scope)
            if limited:
                require_pace(here, scope, g.key_id)
            if store and not (limited and scope in _ADMINISTRATION):  # counted there a moment ago
                runtime().presence.require()
            return view(*args, **kwargs)

        guarded._apidoc = _documented(  # type: ignore[attr-defined]
            getattr(view, "_apidoc", {}), scope, limited=limited
        )
        return guarded  # type: ignore[return-value]

    return decorate


def authenticate(scope: str) -> Workspace:
    """The workspace of the request's key. Answers 401 or 403 otherwise."""
    key = _key()
    found = runtime()
    workspace = found.workspaces.get(auth.workspace_of(key) or "") if key else None
    try:
        # a workspace that is not there refuses a key with as much work as one that is
        g.key_id = (workspace.keys if workspace else found.no_keys).verify(key, scope).key_id
        if workspace is None:
            raise auth.WrongKeyError
    except auth.WrongKeyError:
        message = "This key is unknown, has ended or was revoked." if key else CODES[401][1]
        fail(401, "unauthorized", message, headers={"WWW-Authenticate": _CHALLENGE})
    except auth.KeysError as problem:
        logs.seldom("keys file unreadable", why=str(problem))
        fail(500, *CODES[500])
    except auth.WrongScopeError as error:
        fail(
            403,
            "wrong_scope",
            str(error),
            details={"needed": [error.scope], "found": list(error.scopes)},
        )
    return enter(workspace)


def require_pace(here: Workspace, scope: str, caller: str) -> None:
    """Answers 429 when the caller (a key's id) is over its limit; raises StoreUnavailable when it
    is one that the store must count and the store is away."""
    limits = runtime().limits
    if scope in _ADMINISTRATION:
        wait_s = limits.administration_wait_s(here.settings.workspace, caller)
    else:
        wait_s = limits.events_wait_s(caller)
    if wait_s:
        fail(429, *CODES[429], headers={"Retry-After": str(wait_s)})


def sends_key() -> bool:
    """Whether the request carries what looks like one of our keys."""
    return auth.workspace_of(_key()) is not None


def enter(workspace: Workspace) -> Workspace:
    """From here on the request belongs to this workspace."""
    g.workspace = workspace
    g.workspace_name = workspace.settings.workspace
    return workspace


def documented(scope: str) -> Callable[[View], View]:
    """For a view that checks by itself who is asking; outermost."""

    def decorate(view: View) -> View:
        view._apidoc = _documented(  # type: ignore[attr-defined]
            getattr(view, "_apidoc", {}), scope, limited=scope != CONTENT
        )
        return view

    return decorate


def workspace() -> Workspace:
    """The workspace that the guarded request belongs to."""
    found: Workspace = g.workspace
    return found


def _key() -> str:
    return presented(request.environ)


def _documented(doc: dict[str, Any], scope: str, *, limited: bool) -> dict[str, Any]:
    """The view's OpenAPI notes, plus security, the scope and the errors it brings."""
    manual = dict(doc.get("manual_doc", {}))
    manual["security"] = [{name: []} for name in SCHEMES]
    manual["x-scope"] = scope
    responses = dict(manual.get("responses", {}))
    responses["401"] = "UNAUTHORIZED"
    responses["403"] = "FORBIDDEN"
    if limited:
        responses["429"] = "TOO_MANY_REQUESTS"
        if scope in _ADMINISTRATION:
            responses.setdefault("503", "SERVICE_UNAVAILABLE")
    manual["responses"] = responses
    return {**doc, "manual_doc": manual}
