"""Start an API-triggered campaign for some people, each with their own properties.

https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_triggered_campaigns/
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from connectors.braze.answers import PERMANENT, SUCCESS, message, outcome
from connectors.errors import Lost, Retry, Split
from connectors.http import Client, require_success
from connectors.tool import Outcome, Recipient

PATH = "/campaigns/trigger/send"
MOST_RECIPIENTS = 50
BEFORE_WORK = (423, 425, 429)  # answered before anything was done


def trigger(client: Client, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
    """One request; people without a profile get nothing.

    Raises Retry when it surely was not carried out, Split when Braze refused what is in it, Lost
    when nobody knows (messages have no idempotency key), and Stop.
    """
    listed = [
        {
            "external_user_id": recipient.customer_id,
            "trigger_properties": dict(recipient.properties),
            "send_to_existing_only": True,
        }
        for recipient in recipients
    ]
    body = orjson.dumps({"campaign_id": campaign_id, "recipients": listed})
    try:
        answer = client.request("POST", PATH, body=body)
    except Retry as error:
        if error.unsent:
            raise
        raise Lost(error.what) from error
    if answer.status in PERMANENT:
        raise Split(message(client, answer), status=answer.status, request_id=answer.request_id)
    if answer.status in BEFORE_WORK:
        require_success(answer)
    lost = Lost(
        "nobody knows whether it was sent", status=answer.status, request_id=answer.request_id
    )
    if answer.status >= 500 or answer.status == 408:
        raise lost
    require_success(answer)
    if answer.told.get("message") != SUCCESS:
        raise lost
    return outcome(client, answer, "recipients", len(recipients))
