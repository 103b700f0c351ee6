"""Identity: aliases, one user instead of two, and nobody who must not be there.

https://documentation.onesignal.com/reference/create-alias
https://documentation.onesignal.com/reference/transfer-subscription
https://documentation.onesignal.com/reference/delete-user
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote

from connectors.errors import Retry, Split, Stop
from connectors.onesignal.app import App
from scoring.columns import EXTERNAL_ID


def identify(app: App, pairs: Sequence[tuple[str, str, str]]) -> None:
    """(identifier kind, identifier, customer id): the identifier becomes an alias of the user, its
    kind the label; another external id is merged. Raises Retry, and Stop when one was refused (the
    others are done)."""
    _each(
        [
            partial(_merge, app, identifier, customer_id)
            if kind == EXTERNAL_ID
            else partial(_alias, app, kind, identifier, customer_id)
            for kind, identifier, customer_id in pairs
        ]
    )


def merge(app: App, pairs: Sequence[tuple[str, str]]) -> None:
    """(gone customer id, staying customer id). Raises like identify."""
    _each([partial(_merge, app, gone, staying) for gone, staying in pairs])


def erase(app: App, customer_ids: Sequence[str]) -> None:
    """Delete users with their subscriptions; who is not there is fine. Raises like identify."""
    _each([partial(_delete, app, customer_id) for customer_id in customer_ids])


def _alias(app: App, label: str, identifier: str, customer_id: str) -> None:
    body = {"identity": {label: identifier}}
    app.call("PATCH", app.user(customer_id, "/identity"), body, fine=(404,))


def _merge(app: App, gone: str, staying: str) -> None:
    """OneSignal merges no users: subscriptions move, then the empty user goes."""
    answer = app.call("GET", app.user(gone), fine=(404,))
    if answer.status == 404:
        return
    for subscription in answer.body.get("subscriptions") or []:
        if not isinstance(subscription, dict) or "id" not in subscription:
            raise Retry("a subscription without an id, so nobody knows", status=answer.status)
        number = quote(str(subscription["id"]), safe="")
        owner = {"identity": {EXTERNAL_ID: staying}}
        app.call("PATCH", app.path(f"/subscriptions/{number}/owner"), owner, fine=(404,))
    _delete(app, gone)


def _delete(app: App, customer_id: str) -> None:
    app.call("DELETE", app.user(customer_id), fine=(404,))


def _each(calls: Sequence[Callable[[], None]]) -> None:
    refused: list[str] = []
    for call in calls:
        try:
            call()
        except Split as error:
            refused.append(error.what)
    if refused:
        raise Stop(f"OneSignal refused {len(refused)} of {len(calls)} people: {refused[0]}")
