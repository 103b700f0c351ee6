"""Send a template to somebody, with data of their own.

A message carries one set of data, so there is one recipient a request. OneSignal knows a request
that it has seen by its key, so a lost answer is asked for again.

https://documentation.onesignal.com/reference/idempotent-notification-requests
"""

from __future__ import annotations

from uuid import uuid4

from connectors.errors import Lost, Retry, nothing_to_split
from connectors.onesignal.app import App
from connectors.tool import Outcome, Recipient

MOST_RECIPIENTS = 1
ATTEMPTS = 3
NOT_DONE = (423, 425, 429)  # said before anything was done: the caller waits


def trigger(app: App, template_id: str, channel: str, recipient: Recipient) -> Outcome:
    """One message; who has no subscription on ``channel`` is refused. Raises Retry, Stop, and Lost
    when no attempt was answered."""
    message = {
        "app_id": app.app_id,
        "template_id": template_id,
        "include_aliases": {"external_id": [recipient.customer_id]},
        "target_channel": channel,
        "custom_data": dict(recipient.properties),
        "idempotency_key": str(uuid4()),
    }
    attempt = 1
    while True:
        try:
            with nothing_to_split():
                answer = app.call("POST", "/notifications", message)
        except Retry as error:
            if error.status in NOT_DONE:
                raise
            if attempt == ATTEMPTS:
                what = f"{error.what}; it may have been done all the same"
                raise Lost(what, status=error.status) from error
            attempt += 1
        else:
            made = bool(answer.body.get("id"))  # there is none when it went to nobody
            return Outcome() if made else Outcome({0: app.message(answer)})
