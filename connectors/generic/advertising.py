"""What the law asks of an advertisement before it is sent; in Korea the Network Act, article 50.

The text begins with a label, and by night it may only go to who agreed to that apart. A request
with one recipient who may not get it is refused whole: it is never quietly sent to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.errors import Stop
from connectors.generic.requests import QuietHours, TriggerRequest
from connectors.tool import Recipient


def check(request: TriggerRequest, recipients: Sequence[Recipient], now: datetime) -> None:
    """Raises Stop, with the number of recipients, when the request must not be sent ``now``."""
    quiet = request.quiet_hours
    if quiet is not None and is_quiet(quiet, now):
        awake = [r for r in recipients if quiet.consent and r.properties.get(quiet.consent) is True]
        without = len(recipients) - len(awake)
        if without:
            hours = f"{quiet.start:%H:%M} to {quiet.end:%H:%M} {quiet.timezone}"
            raise Stop(f"{without} recipients have not agreed to messages from {hours}")
    if request.ad_text is not None:
        texts = [r.properties.get(request.ad_text) for r in recipients]
        bare = sum(not str(text).startswith(request.ad_label) for text in texts)
        if bare:
            wanted = f"the property {request.ad_text} must begin with {request.ad_label}"
            raise Stop(f"{wanted}, which it does not for {bare} recipients")


def is_quiet(quiet: QuietHours, now: datetime) -> bool:
    """Whether ``now`` (with its zone) lies in the quiet hours, which may go over midnight."""
    local = now.astimezone(quiet.timezone).time()
    if quiet.start <= quiet.end:
        return quiet.start <= local < quiet.end
    return local >= quiet.start or local < quiet.end
