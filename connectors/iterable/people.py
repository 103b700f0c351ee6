"""Merging and deleting users, one a request.

https://api.iterable.com/api/docs#users_mergeUsers
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import orjson

from connectors.errors import Stop
from connectors.http import Answer, Client
from connectors.iterable.answers import accepted

UNKNOWN = (
    "noUserWithIdExists", "UnknownUserIdError", "NotFound", "ForgottenUserError", "does not exist",
)  # fmt: skip


def merge(client: Client, pairs: Sequence[tuple[str, str]]) -> None:
    """(gone user id, staying one); a gone one that is not there is fine. Raises Retry, Split or
    Stop."""
    for gone, staying in pairs:
        body = {"sourceUserId": gone, "destinationUserId": staying}
        _settled(client, client.request("POST", "/api/users/merge", body=orjson.dumps(body)))


def erase(client: Client, user_ids: Sequence[str]) -> None:
    """Delete users; one that is not there is fine. Raises Retry, Split or Stop."""
    for user_id in user_ids:
        if user_id in (".", ".."):  # would be the path of another call
            raise Stop(f"a user called {user_id!r} can only be deleted in Iterable itself")
        path = f"/api/users/byUserId/{quote(user_id, safe='')}"
        _settled(client, client.request("DELETE", path))


def _settled(client: Client, answer: Answer) -> None:
    if answer.status in (400, 404, 409):
        told = f"{answer.told.get('code')} {answer.told.get('msg')}"
        if any(word in told for word in UNKNOWN):
            return
    accepted(client, answer)
