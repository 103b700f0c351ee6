"""Start an API-triggered broadcast for some, each with their own data.

https://docs.customer.io/integrations/api/app/tag/send-messages/triggerBroadcast/
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from connectors.errors import Retry, Stop
from connectors.http import Client, send_once
from connectors.tool import Outcome, Recipient

MOST_RECIPIENTS = 10_000
LARGEST_BYTES = 25_000_000
EVERY_S = 10.0  # one broadcast


def trigger(app: Client, broadcast_id: str, recipients: Sequence[Recipient]) -> Outcome:
    """One broadcast; whom Customer.io does not know is passed over. Raises Retry, Lost or Stop."""
    if not re.fullmatch("[0-9]+", broadcast_id):
        raise Stop(f"a broadcast of Customer.io is a number, not {broadcast_id!r}")
    body = orjson.dumps(
        {
            "per_user_data": [
                {"id": recipient.customer_id, "data": dict(recipient.properties)}
                for recipient in recipients
            ],
            "id_ignore_missing": True,
        }
    )
    if len(body) > LARGEST_BYTES:
        raise Stop(f"the data of {len(recipients)} recipients is larger than 25 MB: send fewer")
    try:
        send_once(app, "POST", f"/v1/campaigns/{broadcast_id}/triggers", body)
    except Retry as error:
        if error.after_s is None:  # Customer.io never says how long
            error.after_s = EVERY_S
        raise
    return Outcome()
