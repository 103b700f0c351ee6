"""From a question to everything that its answer says: items, whether to send, prices."""

from __future__ import annotations

from plugin.content.asked import Asked, Picked
from plugin.content.kinds import Kind
from plugin.content.money import priced
from plugin.content.policy import verdict


def picked(kind: Kind, asked: Asked) -> Picked:
    """The kind's items, whether to send them, and prices as they are read if that is asked for.

    Raises RecordError or StoreUnavailable for damaged records.
    """
    found = kind.pick(asked)
    found.send, found.send_reason, found.arm = verdict(asked, found)
    if "currency" in asked.arguments or "locale" in asked.arguments:
        found.entries = priced(asked, found.entries)
    return found
