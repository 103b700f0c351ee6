"""Who opens a landing link: which workspace, which customer, and what is told of it."""

from __future__ import annotations

from flask import request

from plugin.landing.robots import sign_of
from plugin.landing.token import Landing, expired
from plugin.landing.tracking import Shown, Tap
from plugin.runtime import Workspace, runtime


def of_token(token: str) -> tuple[Workspace, Landing]:
    """The workspace and what the link says; for a link that is not ours (or no longer good) nobody
    in the first workspace."""
    found = runtime()
    landing = found.links.read(token)
    if landing is not None and landing.workspace in found.workspaces:
        here = found.workspaces[landing.workspace]
        if not (landing.customer and expired(landing, here.now())):
            return here, landing
        return here, Landing(landing.workspace, landing.campaign, b"", 0)
    name, here = next(iter(found.workspaces.items()))
    return here, Landing(name, "", b"", 0)


def told(here: Workspace, landing: Landing, shown: Shown, item: str = "") -> None:
    """The page was opened, or the link of ``item`` followed: an event, if it is somebody's."""
    if landing.customer:
        secure = runtime().settings.public_url.startswith("https:")
        sign = sign_of(request.method, request.headers, secure=secure)
        tap = Tap(landing, item, shown, here.now().timestamp(), sign)
        runtime().tracker.add(tap)


def page_address(token: str) -> str:
    """Where the landing page of a link is; of one that is not ours, that for everybody."""
    ours = runtime().links.read(token) is not None
    return f"{runtime().settings.public_url}/l/{token if ours else '-'}"
