"""User attributes, and events that start campaigns, through POST /v1/transition.

MoEngage takes a request and looks at its users later: what it then leaves out, it shows on the
user's profile and never in an answer.

https://www.moengage.com/docs/api/bulk/bulk-import-users-and-events
https://help.moengage.com/hc/en-us/articles/360037314991-Data-Tracking-Policies
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import CustomerTarget
from connectors.errors import Reject, Stop
from connectors.http import send_once
from connectors.moengage.workspace import MoEngageWorkspace, user_id
from connectors.tool import Encoded, Limits, Outcome, Recipient, Window

ENVELOPE = b'{"type":"transition","elements":[%b]}'
# 100 kB a request; 60,000 users a minute, which is 240 requests of 250.
LIMITS = Limits(250, body_bytes=100_000, item_bytes=99_900, envelope_bytes=len(ENVELOPE))
WINDOWS = (Window(240, 60.0),)
# Longer ones are cut off without a word.
LONGEST_NAME = 200
LONGEST_TEXT = 512
LONGEST_LIST = 50
OWN_PREFIX = "moe_"
RESERVED = frozenset(
    {"uid", "u_n", "u_fn", "u_ln", "u_gd", "u_em", "u_mb", "u_bd", "u_l_a", "cr_t", "geo",
     "publisher_name", "campaign_name", "push_preference", "advertising_identifier"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """One element a customer. Setting or unsetting an attribute twice leaves it as it is."""

    workspace: MoEngageWorkspace
    update_existing_only: bool

    limits = LIMITS
    windows = WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """Raises Reject for an id, a name or a value that MoEngage would drop or cut off."""
        for name, value in change.items():
            _check(name, value)
        element: dict[str, Any] = {"type": "customer", "customer_id": user_id(customer_id)}
        if self.update_existing_only:
            element["update_existing_only"] = True
        element["attributes"] = {n: value for n, value in change.items() if value is not None}
        gone = [name for name, value in change.items() if value is None]
        if gone:
            element["unset_attributes"] = [
                {"type": "equals", "attr": name, "case_sensitive": True} for name in gone
            ]
        return Encoded(orjson.dumps(element))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Stop, and Split."""
        body = ENVELOPE % b",".join(records)
        return Outcome(rate=self.workspace.post(path(self.workspace), body).rate)


def path(workspace: MoEngageWorkspace) -> str:
    return f"/v1/transition/{workspace.workspace_id}"


def trigger(
    workspace: MoEngageWorkspace, event_name: str, recipients: Sequence[Recipient]
) -> Outcome:
    """One event a recipient, which an event-triggered campaign waits for; the properties are the
    event's. Raises Retry, Lost or Stop."""
    elements = [
        {
            "type": "event",
            "customer_id": recipient.customer_id,
            "actions": [{"action": event_name, "attributes": dict(recipient.properties)}],
        }
        for recipient in recipients
    ]
    body = orjson.dumps({"type": "transition", "elements": elements})
    if len(body) > LIMITS.body_bytes:
        raise Stop(f"the properties of {len(recipients)} recipients exceed 100 kB: send fewer")
    answer = send_once(workspace.client, "POST", path(workspace), body)
    if answer.told.get("status") != "success":
        raise Stop(workspace.message(answer), status=answer.status)
    return Outcome(rate=answer.rate)


def _check(name: str, value: Any) -> None:
    if name in RESERVED or name.startswith(OWN_PREFIX):
        raise Reject(f"{name} is an attribute of MoEngage's own")
    if len(name) > LONGEST_NAME:
        raise Reject(f"the name of an attribute is longer than {LONGEST_NAME} characters")
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) > LONGEST_LIST:
        raise Reject(f"{name} has more than {LONGEST_LIST} elements")
    if any(isinstance(each, str) and len(each) > LONGEST_TEXT for each in values):
        raise Reject(f"{name} is longer than {LONGEST_TEXT} characters")
