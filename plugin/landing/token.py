"""The signed part of a landing link: which customer's order, until when, and nothing personal.

A token is unpadded base64url of one packed record and its tag:

    version u8 (2) | lengths of workspace u8, channel u16, customer u8, decision u8 |
    expires_at u40 | workspace | channel | customer | decision | campaign | tag

The tag is keyed BLAKE2b (RFC 7693) of all bytes before it, cut to 128 bits; its key is derived from
the installation's secret for this use alone. Version 1, which the signer of itsdangerous made, is
still read: such links are in messages that were sent before.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

MAX_LENGTH = 3000  # characters; a campaign and a channel may have 988 bytes each
_HEAD = struct.Struct(">BBHBBBI")
_VERSION = 2
_TAG_BYTES = 16
_PERSON = b"rightsend.link.2"
_SALT = "rightsend.landing"  # of version 1
_TO_URL = bytes.maketrans(b"+/", b"-_")


class Landing(NamedTuple):
    """What a link says. ``customer`` is the store's keyed hash, empty for nobody in particular;
    ``decision`` is the 16-byte id of the answer that the link stood in, empty if there was none.
    """

    workspace: str
    campaign: str
    customer: bytes
    expires_at: int  # Unix time, seconds, below 2**40
    decision: bytes = b""
    channel: str = ""


class Links:
    """Writes and reads tokens with the installation's secret.

    A token is a function of its content alone: the same answer always carries the same link.
    ``previous``: secrets that were used before. Their links still open the page of the right
    workspace and campaign, for nobody in particular: the store knows customers by another hash now.
    """

    def __init__(self, secret: bytes, previous: Sequence[bytes] = ()) -> None:
        self._tagger = _tagger(secret)
        self._previous = [_tagger(each) for each in previous]
        self._first_version = URLSafeSerializer(secret, salt=_SALT)

    def write(self, landing: Landing) -> str:
        """The token of a landing. Raises ValueError when it cannot be written: a workspace
        over 255 bytes, a time before 1970 or from 2**40 s on."""
        workspace, campaign, customer, expires_at, decision, channel = landing
        place = workspace.encode()
        way = channel.encode("utf-8", "surrogatepass")
        lengths = len(place), len(way), len(customer), len(decision)
        try:
            head = _HEAD.pack(_VERSION, *lengths, expires_at >> 32, expires_at & 0xFFFF_FFFF)
        except struct.error as problem:
            raise ValueError(f"a landing that no link can hold: {problem}") from None
        name = campaign.encode("utf-8", "surrogatepass")
        text = b"".join((head, place, way, customer, decision, name))
        tagger = self._tagger.copy()
        tagger.update(text)
        written = binascii.b2a_base64(text + tagger.digest(), newline=False)
        return written.translate(_TO_URL).rstrip(b"=").decode("ascii")

    def read(self, token: str) -> Landing | None:
        """What a token says, expired or not; None when we did not write it."""
        if len(token) > MAX_LENGTH:
            return None
        if "." in token:
            return self._read_first_version(token)
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except ValueError:
            return None
        text, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if base64.urlsafe_b64encode(raw).rstrip(b"=") != token.encode():
            return None  # unused bits at the end that are not zero: a landing has one token
        if _signed(self._tagger, text, tag):
            return _unpacked(text)
        if any(_signed(tagger, text, tag) for tagger in self._previous):
            landing = _unpacked(text)
            return landing and landing._replace(customer=b"")
        return None

    def _read_first_version(self, token: str) -> Landing | None:
        try:
            workspace, campaign, customer, expires_at = self._first_version.loads(token)
            return Landing(workspace, campaign, base64.urlsafe_b64decode(customer), int(expires_at))
        except (BadData, ValueError, TypeError, binascii.Error):
            return None


def expired(landing: Landing, now: datetime) -> bool:
    """Whether the link's time is over."""
    return now.astimezone(UTC).timestamp() > landing.expires_at


def _tagger(secret: bytes) -> blake2b:
    key = blake2b(secret, digest_size=32, person=_PERSON).digest()
    return blake2b(key=key, digest_size=_TAG_BYTES)


def _signed(tagger: blake2b, text: bytes, tag: bytes) -> bool:
    mine = tagger.copy()
    mine.update(text)
    return hmac.compare_digest(mine.digest(), tag)


def _unpacked(text: bytes) -> Landing | None:
    """A record whose tag was right; None for one of another version."""
    if len(text) < _HEAD.size or text[0] != _VERSION:
        return None
    _, *lengths, high, low = _HEAD.unpack_from(text)
    parts = []
    start = _HEAD.size
    for length in lengths:
        parts.append(text[start : start + length])
        start += length
    workspace, channel, customer, decision = parts
    return Landing(
        workspace=workspace.decode(),
        campaign=text[start:].decode("utf-8", "surrogatepass"),
        customer=customer,
        expires_at=high << 32 | low,
        decision=decision,
        channel=channel.decode("utf-8", "surrogatepass"),
    )
