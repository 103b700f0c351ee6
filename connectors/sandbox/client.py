"""The sandbox tool from outside: define a campaign, send it, read the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import requests

TIMEOUT_S = 60.0
POLL_S = 0.2


class SandboxError(Exception):
    """The sandbox refused or did not answer; the text says why."""


class Sandbox:
    """``url`` such as http://127.0.0.1:8001; ``key`` is one of the sandbox's API keys.

    ``tool`` is the double whose dials are turned and whose state is read; None: Braze's.
    """

    def __init__(self, url: str, key: str, tool: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._params = {} if tool is None else {"tool": tool}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def define_campaign(
        self,
        campaign_id: str,
        *,
        template: str,
        cohort_id: str | None = None,
        name: str | None = None,
        **language: Any,
    ) -> dict[str, Any]:
        """Make or replace a campaign that goes to the members of a cohort (a pushed segment).

        ``template`` is Braze's Liquid, or what ``dialect`` names; then ``feed`` is the call beside
        it (see connectors.sandbox.feeds). A first rendered line ``Subject: …`` is the subject.
        Raises SandboxError naming the line when the template cannot be read.
        """
        body = {"template": template, "cohort_id": cohort_id, "name": name, **language}
        return self._call("PUT", f"/sandbox/campaigns/{campaign_id}", json=body)

    def send(
        self,
        campaign_id: str,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
        timeout_s: float = 900.0,
    ) -> dict[str, Any]:
        """Send to all members who have no message of it yet, and wait for the end.

        Returns the campaign with ``audience``, ``sent``, ``aborted`` and ``failed``; calling again
        goes on where it stopped and doubles nothing.
        """
        deadline = time.monotonic() + timeout_s
        state = self.start(campaign_id)
        while state["sending"]:
            if time.monotonic() > deadline:
                raise SandboxError(f"campaign {campaign_id} is not sent after {timeout_s:g} s")
            time.sleep(POLL_S)
            state = self.campaign(campaign_id)
            progress(state["sent"] + state["aborted"] + state["failed"], state["audience"])
        if state["problem"]:
            raise SandboxError(f"campaign {campaign_id}: {state['problem']}")
        return state

    def start(self, campaign_id: str) -> dict[str, Any]:
        """Send in the background; ``campaign`` then says how far it is."""
        return self._call("POST", f"/sandbox/campaigns/{campaign_id}/send")

    def outbox(self, campaign_id: str, state: str | None = None) -> list[dict[str, Any]]:
        """Messages by external id: external_id, state, subject, body, reason, rendered_at."""
        params = {"state": state} if state else {}
        return list(self._lines(f"/sandbox/campaigns/{campaign_id}/messages", params))

    def campaign(self, campaign_id: str) -> dict[str, Any]:
        return self._call("GET", f"/sandbox/campaigns/{campaign_id}")

    def delete_campaign(self, campaign_id: str) -> None:
        """With its outbox."""
        self._call("DELETE", f"/sandbox/campaigns/{campaign_id}")

    def define_credential(self, name: str, username: str, password: str) -> None:
        """What ``:basic_auth NAME`` sends in a template; of a feed, header and value."""
        body = {"username": username, "password": password}
        self._call("PUT", f"/sandbox/credentials/{name}", json=body)

    def put_items(self, items: dict[str, dict[str, Any]]) -> None:
        """Item id → fields that a template finds in the catalog (Klaviyo: title, url)."""
        self._call("PUT", "/sandbox/items", json=items)

    def profile(self, external_id: str) -> dict[str, Any] | None:
        """Fields, ``custom_attributes`` and ``cohorts`` of one person; None if unknown."""
        params = {"external_id": external_id}
        answer = self._request("GET", "/sandbox/profile", params=params)
        return None if answer.status_code == 404 else self._object(answer)

    def profiles(self) -> Iterator[dict[str, Any]]:
        """All, by external id."""
        return self._lines("/sandbox/profiles", {})

    def held(self) -> dict[str, dict[str, Any]]:
        """Customer → attributes that the double holds, without the empty ones."""
        held = self._of_tool("GET", "/sandbox/held")
        return {customer: attributes for customer, attributes in held.items() if attributes}

    def members(self, segment_id: str) -> list[str]:
        """Customer ids in a segment (Braze: cohort), sorted."""
        members: list[str] = self._of_tool("GET", f"/sandbox/members/{segment_id}")["members"]
        return members

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        """Item id → fields."""
        return self._of_tool("GET", f"/sandbox/catalog/{name}")

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        """Messages of a triggered campaign, with ``customer_id`` and ``properties``."""
        found = self._of_tool("GET", f"/sandbox/triggered/{campaign_id}")["messages"]
        return list(found)

    def calls(self, count: int = 200) -> list[dict[str, Any]]:
        """The newest calls in and out, newest first."""
        params = {"count": str(count)}
        found: list[dict[str, Any]] = self._call("GET", "/sandbox/requests", params=params)[
            "requests"
        ]
        return found

    def counts(self) -> dict[str, int]:
        """Profiles, messages, calls and data points."""
        return self._of_tool("GET", "/sandbox/counts")

    def fail(self, kind: str, *, times: int = 1, **fault: Any) -> None:
        """Let the next ``times`` calls of the double fail (see connectors.sandbox.dials)."""
        body = [{"kind": kind, "times": times, **fault}]
        self._of_tool("POST", "/sandbox/faults", json=body)

    def turn(self, **dials: Any) -> None:
        """Set switches: blocked, locate_errors, rate_limit, rate_window_s, chaos, …"""
        self._of_tool("PATCH", "/sandbox/dials", json=dials)

    def heal(self) -> None:
        """Forget faults that are still to come, and chaos."""
        self._of_tool("DELETE", "/sandbox/faults")

    def close(self) -> None:
        self._session.close()

    def _of_tool(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._call(method, path, params=self._params, **options)

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._object(self._request(method, path, **options))

    def _lines(self, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        with self._request("GET", path, params=params, stream=True) as answer:
            if answer.status_code != 200:
                self._object(answer)
            for line in answer.iter_lines():
                yield orjson.loads(line)

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(
                method, self._url + path, timeout=TIMEOUT_S, allow_redirects=False, **options
            )
        except requests.exceptions.RequestException as error:
            what = f"the sandbox at {self._url} does not answer: {type(error).__name__}"
            raise SandboxError(what) from None

    def _object(self, answer: requests.Response) -> dict[str, Any]:
        try:
            body = orjson.loads(answer.content)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not answer.ok:
            message = body.get("message") if isinstance(body, dict) else "no JSON"
            raise SandboxError(f"the sandbox answered {answer.status_code}: {message}")
        return body
