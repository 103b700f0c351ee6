"""One OneSignal app: its addresses, and how its answers are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from connectors.errors import Split
from connectors.http import Answer, Client, require_object

# OneSignal names no limit; longer ones are refused before they become the path of a request.
LONGEST_ID_BYTES = 255


@dataclass(frozen=True)
class App:
    """Calls of one app. ``app_id`` is a UUID."""

    client: Client
    app_id: str

    def user(self, customer_id: str, tail: str = "") -> str:
        """The path of a user, by external id. Raises Split for an id that is a step in a path."""
        if customer_id in ("", ".", ".."):
            raise Split("the external id cannot be part of an address")
        return self.path(f"/users/by/external_id/{quote(customer_id, safe='')}{tail}")

    def path(self, tail: str) -> str:
        return f"/apps/{self.app_id}{tail}"

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        fine: tuple[int, ...] = (),
    ) -> Answer:
        """A successful answer, or one with a status that is ``fine`` all the same.

        Raises Retry, Stop, and Split for what OneSignal refuses because of what is in it.
        """
        content = None if body is None else orjson.dumps(body)
        answer = self.client.request(method, path, body=content)
        if answer.status in fine:
            return answer
        if answer.status in (400, 404, 409, 413, 422):
            raise Split(self.message(answer), status=answer.status)
        require_object(answer)
        return answer

    def message(self, answer: Answer) -> str:
        """OneSignal's own words: errors are texts, or objects with a code and a title."""
        errors = answer.told.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else errors
        if isinstance(first, dict):
            first = first.get("title") or first.get("code")
        return self.client.reason(first or f"HTTP {answer.status}")
