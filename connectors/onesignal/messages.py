"""Send a template to somebody, with data of their own.

A message carries one set of data, so there is one recipient a request. OneSignal knows a request
that it has seen by its key, so a lost answer is asked for again.

https://documentation.onesignal.com/reference/idempotent-notification-requests
"""

from __future__ import annotations

from uuid import uuid4

from connectors.errors import Lost, Retry, Split, Stop
from connectors.onesignal.app import App
from connectors.tool import Recipient

MOST_RECIPIENTS = 1
ATTEMPTS = 3
NOT_DONE = (423, 425, 429)  # said before anything was done: the caller waits


def trigger(app: App, template_id: str, channel: str, recipient: Recipient) -> None:
    """One message; who has no subscription on ``channel`` gets none. Raises Retry, Stop, and Lost
    when no attempt was answered."""
    message = {
        "app_id": app.app_id,
        "template_id": template_id,
        "include_aliases": {"external_id": [recipient.customer_id]},
        "target_channel": channel,
        "custom_data": dict(recipient.properties),
        "idempotency_key": str(uuid4()),
    }
    for attempt in range(1, ATTEMPTS + 1):
        try:
            app.call("POST", "/notifications", message)
            return
        except Split as error:
            raise Stop(error.what, status=error.status) from error
        except Retry as error:
            if error.status in NOT_DONE:
                raise
            if attempt == ATTEMPTS:
                what = f"{error.what}; it may have been done all the same"
                raise Lost(what, status=error.status) from error
