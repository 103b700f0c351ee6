"""A tool that is described in YAML, as a host tool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.customers import has_external_id
from connectors.errors import Lost, Reject, Retry, Split, Stop
from connectors.generic import advertising
from connectors.generic.auth import Api, Auth, lost
from connectors.generic.exchange import Exchange, call, line
from connectors.generic.options import AuthSchema, RequestsSchema
from connectors.generic.requests import Batch, Requests
from connectors.generic.targets import Attributes, Members
from connectors.http import Client, Timeouts
from connectors.tool import Outcome, Recipient, Target, Tool, in_batches
from settings.workspace import ConnectionSettings


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Generic(Tool):
    """An open connection; what ``requests`` leaves out raises Stop."""

    api: Api
    requests: Requests
    now: Callable[[], datetime] = _now

    def attributes(self) -> Target:
        return Attributes(self.api, _described(self.requests.attributes, "attributes"))

    def segment(self, segment_id: str) -> Target:
        return Members(self.api, _described(self.requests.segment, "segment"), segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        """Nothing to do for a tool whose segments come to be with their first member."""
        declare = _described(self.requests.segment, "segment").declare
        if declare is not None:
            call(self.api, declare, {"segment_id": segment_id, "segment_name": name})

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        """Nothing to do: the tool is described for customers who have a customer id."""

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        request = _described(self.requests.merge, "merge")
        known = [(gone, staying) for gone, staying in pairs if has_external_id(gone)]
        self._send_all(request, [(staying, {"gone_id": gone}) for gone, staying in known])

    def erase(self, customer_ids: Sequence[str]) -> None:
        request = _described(self.requests.erase, "erase")
        self._send_all(request, [(customer_id, {}) for customer_id in customer_ids])

    def _send_all(self, request: Batch, people: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Who has no customer id, or one that the tool cannot hold, is not there.

        Raises Split when the tool refused somebody; all others are done.
        """
        lines = []
        for customer_id, values in people:
            with suppress(Reject):
                if has_external_id(customer_id):
                    lines.append(line(request, customer_id, values))
        refused: list[str] = []
        for batch in in_batches(lines, request.limits.items):
            outcome = Exchange(self.api, request, {}).send(batch)
            refused += [*outcome.rejected.values(), *outcome.unlocated]
        if refused:
            raise Split(f"the tool refused {len(refused)} people: {refused[0]}")

    @property
    def most_recipients(self) -> int:  # type: ignore[override]
        return 1 if self.requests.trigger is None else self.requests.trigger.limits.items

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        request = _described(self.requests.trigger, "trigger")
        advertising.check(request, recipients, self.now())
        values = {"campaign_id": campaign_id}
        lines = [
            line(request, r.customer_id, {**values, "properties": r.properties}) for r in recipients
        ]
        try:
            return Exchange(self.api, request, values).send(lines)
        except Retry as error:
            if lost(error):
                raise Lost(error.what, status=error.status, request_id=error.request_id) from error
            raise

    def check(self) -> None:
        """The request that the configuration names; without one, nothing is asked."""
        if self.requests.check is not None:
            call(self.api, self.requests.check, {})

    def close(self) -> None:
        self.api.close()


def _described(request: Any, name: str) -> Any:
    if request is None:
        raise Stop(f"this connection's option requests.{name} is not set")
    return request


def open_http(connection: ConnectionSettings) -> Generic:
    """The tool that the connection's options describe."""
    options = connection.options
    auth: Auth = AuthSchema().load(options["auth"])
    requests: Requests = RequestsSchema().load(options["requests"])
    headers, secrets = auth.signing()
    timeouts = Timeouts.of(options["timeout_s"])
    client = Client(
        options["base_url"].rstrip("/"),
        headers={**options["headers"], **headers},
        secrets=(*secrets, *options["secrets"]),
        timeouts=timeouts,
        header_names=options["rate_headers"],
    )
    token_client = None
    if auth.type == "oauth2":
        parts = urlsplit(auth.token_url)
        token_host = f"{parts.scheme}://{parts.netloc}"
        token_client = Client(token_host, secrets=secrets, timeouts=timeouts)
    return Generic(Api(client, auth, token_client), requests)
