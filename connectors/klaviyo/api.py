"""Klaviyo's way of speaking: JSON:API, a dated revision, several windows a call.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from connectors.errors import Retry, Split, Stop, nothing_to_split
from connectors.http import Answer, Client, as_list, as_object, require_success

HOST = "https://a.klaviyo.com"
REVISION = "2026-07-15"
MEDIA_TYPE = "application/vnd.api+json"
ID = re.compile(r"[A-Za-z0-9_:=-]{1,200}")
MOST_PAGES = 200
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0


@dataclass
class Api:
    """Calls of one account. What was begun is asked about for at most ``most_wait_s``; ``sleep``
    (seconds) may raise, which ends the waiting."""

    client: Client
    most_wait_s: float
    sleep: Callable[[float], None]

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """A successful answer. Raises Retry, Stop, and Split for what is in the request."""
        sent = None if body is None else orjson.dumps(body)
        answer = self.client.request(method, path, body=sent, params=params)
        if answer.status in (400, 409, 413):
            raise Split(self._reason(answer), status=answer.status)
        return require_success(answer)

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """A successful GET of a JSON:API document. Raises Retry or Stop."""
        with nothing_to_split():
            answer = self.call("GET", path, params=params)
        if "data" not in answer.told:
            raise Retry("the answer is no document of Klaviyo's", status=answer.status)
        return answer

    def pages(self, path: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The resources of a listing, page after page. Raises Retry or Stop."""
        asked = dict(params)
        for _ in range(MOST_PAGES):
            document = self.patiently(partial(self.read, path, dict(asked))).body
            yield from (entry for entry in as_list(document["data"]) if isinstance(entry, dict))
            cursor = _cursor(document)
            if cursor is None:
                return
            asked["page[cursor]"] = cursor
        raise Stop(f"{path} goes on after {MOST_PAGES} pages")

    def patiently(self, call: Callable[[], Answer]) -> Answer:
        """The answer of a call that costs nothing to repeat; the pauses are as long as the tool
        asks for, or grow. Raises what the call raises, Retry when it was in vain."""
        waited_s, pause_s = 0.0, FIRST_PAUSE_S
        while True:
            try:
                return call()
            except Retry as error:
                asked_s = pause_s if error.after_s is None else max(error.after_s, 0.1)
                if waited_s + asked_s > self.most_wait_s:
                    raise
                self.sleep(asked_s)
                waited_s += asked_s
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _reason(self, answer: Answer) -> str:
        """Klaviyo's own words about the first error."""
        first = as_object(next(iter(as_list(answer.told.get("errors"))), None))
        return self.client.reason(
            first.get("detail") or first.get("title") or f"HTTP {answer.status}"
        )


def resource_id(resource: object) -> str | None:
    """The id of a resource, when it is fit to stand in a path."""
    found = as_object(resource).get("id")
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def attributes_of(resource: object) -> dict[str, Any]:
    return as_object(as_object(resource).get("attributes"))


def _cursor(document: Mapping[str, Any]) -> str | None:
    """Where the next page begins. Of the address that Klaviyo gives, only the cursor is taken."""
    following = as_object(document.get("links")).get("next")
    if not isinstance(following, str):
        return None
    try:
        found = parse_qs(urlsplit(following).query).get("page[cursor]")
    except ValueError:
        return None
    return found[0] if found else None
