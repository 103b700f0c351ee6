"""User attributes as merge fields of contacts, called by their tags.

https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
https://mailchimp.com/developer/marketing/docs/merge-fields/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.attributes import EMPTY, Known, plain
from connectors.errors import Reject
from connectors.mailchimp.audience import Audience, ContactTarget
from connectors.tool import Encoded, Outcome

TAG = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
LONGEST = 255  # bytes of a text


@dataclass(frozen=True)
class Contacts(ContactTarget):
    """Writing a contact twice leaves it as it is; nobody is subscribed or unsubscribed by it."""

    audience: Audience
    update_existing_only: bool
    _tags: Known = field(default_factory=lambda: Known("merge field"))

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One contact. Raises Reject for what is no merge tag, and a text that is too long."""
        for name in change:
            if not TAG.fullmatch(name):
                raise Reject(f"{name} is no merge tag: 1 to 10 of A-Z, 0-9 and _, a letter first")
        fields = {name: merge_value(value) for name, value in change.items()}
        contact: dict[str, Any] = {"email_address": customer_id, "merge_fields": fields}
        if not self.update_existing_only:
            contact["status_if_new"] = "transactional"
        return Encoded(orjson.dumps(contact))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split, and Stop for a field that the audience lacks, which
        Mailchimp would drop without a word."""
        contacts = [orjson.loads(record) for record in records]
        values = [each for one in contacts for each in one["merge_fields"].items()]
        self._tags.require({tag for tag, value in values if value != EMPTY}, self._listed)
        body = {"members": contacts, "update_existing": True}
        told = self.audience.call("POST", "", body, skip_merge_validation="true")
        return self.audience.outcome(told, [each["email_address"] for each in contacts])

    def _listed(self) -> set[str]:
        return {str(each.get("tag")) for each in self.audience.all("merge_fields")}


def merge_value(value: Any) -> str | float:
    """A value as a merge field: a number or a text, which may be "true". Raises Reject."""
    if isinstance(value, bool):
        return "true" if value else "false"
    held = plain(value)
    if isinstance(held, str) and len(held.encode()) > LONGEST:
        raise Reject(f"a merge field holds {LONGEST} bytes")
    return held
