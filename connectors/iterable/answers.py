"""What Iterable's answers mean: a code and a message, and lists of the users that were refused.

https://api.iterable.com/api/docs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from connectors.errors import Split, Stop, nothing_to_split
from connectors.http import Answer, Client, as_list, as_object, require_object
from connectors.tool import Outcome

# Lists of user ids in the answer of a bulk call → why.
NOT_FOUND = "notFoundUserIds"
REASONS = {
    "invalidUserIds": "Iterable cannot take this user id",
    "invalidDataUserIds": "a value has another type than its field has in Iterable",
    "conflictUserIds": "the user id belongs to several users",
    "forgottenUserIds": "the user asked to be forgotten",
    NOT_FOUND: "there is no such user in Iterable",
}
FOR_A_PERSON = {
    "UniqueFieldsLimitExceeded": "the project has as many user fields as Iterable allows",
    "error.lists.invalidListId": "the list was deleted in Iterable",
}


def accepted(client: Client, answer: Answer) -> dict[str, Any]:
    """The body of a successful answer. Raises Retry, Stop, and Split for what is in the request."""
    code, message = _told(client, answer)
    if answer.status in (400, 413):
        if code in FOR_A_PERSON:
            raise Stop(FOR_A_PERSON[code], status=answer.status)
        raise Split(message, status=answer.status)
    return require_object(answer)


def required(client: Client, answer: Answer) -> dict[str, Any]:
    """Like ``accepted`` for a call that has nothing to be split. Raises Retry or Stop."""
    with nothing_to_split():
        return accepted(client, answer)


def bulk_outcome(client: Client, answer: Answer, records: Sequence[bytes]) -> Outcome:
    """Of a call that takes many users; each record is a JSON object with its ``userId``."""
    body = accepted(client, answer)
    if type(body.get("successCount")) is not int:
        raise Split(_told(client, answer)[1], status=answer.status)
    reasons = _refused(body)
    if not reasons and not body.get("failCount"):
        return Outcome(rate=answer.rate)
    rejected = {}
    for index, record in enumerate(records):
        reason = reasons.get(orjson.loads(record)["userId"])
        if reason is not None:
            rejected[index] = reason
    unlocated = _number(body.get("failCount")) - len(rejected)
    why = ("refused, and Iterable did not say whom",) if unlocated > 0 else ()
    return Outcome(rejected, why, answer.rate)


def _refused(body: dict[str, Any]) -> dict[str, str]:
    """User id → reason; older projects have the lists outside of ``failedUpdates``."""
    reasons = {}
    for lists in (body, as_object(body.get("failedUpdates"))):
        for name, reason in REASONS.items():
            for user_id in as_list(lists.get(name)):
                if isinstance(user_id, str):
                    reasons[user_id] = reason
    return reasons


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _told(client: Client, answer: Answer) -> tuple[str, str]:
    """(code, a sentence of Iterable's) of an answer that may be anything."""
    told = answer.told
    code = str(told.get("code", ""))
    message = ": ".join(str(told[name]) for name in ("code", "msg") if told.get(name))
    return code, client.reason(message or f"HTTP {answer.status}")
