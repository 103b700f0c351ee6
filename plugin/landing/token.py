"""The signed part of a landing link: which customer's order, until when, and nothing personal."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadData, URLSafeSerializer

MAX_LENGTH = 512
_SALT = "rightsend.landing"


@dataclass(frozen=True)
class Landing:
    """What a link says. ``customer`` is the store's keyed hash, empty for nobody in particular."""

    workspace: str
    campaign: str
    customer: bytes
    expires_at: int  # Unix time, seconds


class Links:
    """Writes and reads tokens with the installation's secret.

    A token is a function of its content alone: the same answer always carries the same link.
    """

    def __init__(self, secret: bytes) -> None:
        self._serializer = URLSafeSerializer(secret, salt=_SALT)

    def write(self, landing: Landing) -> str:
        """The token of a landing."""
        customer = base64.urlsafe_b64encode(landing.customer).decode()
        text = self._serializer.dumps(
            [landing.workspace, landing.campaign, customer, landing.expires_at]
        )
        return text if isinstance(text, str) else text.decode()

    def read(self, token: str) -> Landing | None:
        """What a token says, expired or not; None when we did not write it."""
        if len(token) > MAX_LENGTH:
            return None
        try:
            workspace, campaign, customer, expires_at = self._serializer.loads(token)
            return Landing(workspace, campaign, base64.urlsafe_b64decode(customer), int(expires_at))
        except (BadData, ValueError, TypeError, binascii.Error):
            return None


def expired(landing: Landing, now: datetime) -> bool:
    """Whether the link's time is over."""
    return now.astimezone(UTC).timestamp() > landing.expires_at
