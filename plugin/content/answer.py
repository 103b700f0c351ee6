"""From what was picked to the bytes of the answer, joined from prepared ones.

The same call within a snapshot and a state of the customer's session gives the same bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from plugin.content.asked import Entry
from plugin.content.call import Call
from plugin.content.remembered import Remembered
from plugin.landing.token import Landing
from plugin.runtime import Runtime, Workspace
from scoring.reasons.reason import decode
from scoring.reasons.words import sentence
from scoring.store.published import PublishedSnapshot

if TYPE_CHECKING:
    from plugin.content.service import Chosen

_TRUTH = (b"false", b"true")


def compose(
    runtime: Runtime, here: Workspace, call: Call, chosen: Chosen, decision: bytes | None = None
) -> bytes:
    """The JSON text of a content answer; ``decision``: its decision_id(), if known."""
    picked = chosen.picked
    snapshot = chosen.reading.published.snapshot
    decision = decision or decision_id(runtime, here, call, chosen)
    language = call.arguments.get("locale") or here.settings.locale
    items = b",".join(_items(chosen.reading.published, picked.entries, language))
    more = orjson.dumps(picked.members)[1:-1] if picked.members else b""
    return (
        b'{"ok":true,"fallback":%b,"reason":%b,"send":%b,"send_reason":%b,"customer_known":%b,'
        b'"snapshot":%b,"decision_id":"%b","items":[%b],"landing_url":"%b"%b%b}\n'
    ) % (
        _TRUTH[picked.fallback],
        _text(picked.reason),
        _TRUTH[picked.send],
        _text(picked.send_reason),
        _TRUTH[chosen.reading.customer_known],
        _text(snapshot or None),
        decision.hex().encode(),
        items,
        landing_url(runtime, here, call, chosen, decision).encode(),
        b"," if more else b"",
        more,
    )


def decision_id(runtime: Runtime, here: Workspace, call: Call, chosen: Chosen) -> bytes:
    """16 bytes out of the question, the customer, the snapshot and what was picked; keyed, as it
    goes out with messages."""
    picked = chosen.picked
    found = blake2b(call.digest, key=runtime.secret[:64], digest_size=16)
    found.update(here.settings.workspace.encode())
    found.update(chosen.reading.published.generation.encode())
    found.update(b"%b|%b|" % ((picked.reason or "").encode(), (picked.send_reason or "").encode()))
    found.update(chosen.customer or b"")
    found.update(array("I", [entry[0] for entry in picked.entries]).tobytes())
    return found.digest()


def landing_url(
    runtime: Runtime, here: Workspace, call: Call, chosen: Chosen, decision: bytes
) -> str:
    """The link to this customer's page. It runs out some days after the snapshot was made (not
    after the call: a repeated call gives the same link)."""
    expires_at = _expiry(chosen.created_at, here.settings.landing.link_ttl_days)
    landing = Landing(
        here.settings.workspace,
        call.campaign,
        chosen.customer if chosen.customer and expires_at else b"",
        expires_at,
        decision,
        call.arguments.get("channel", ""),
    )
    return runtime.landing_prefix + runtime.links.write(landing)


def shown(published: PublishedSnapshot, entry: Entry, language: str) -> dict[str, Any]:
    """One item as content answers show it."""
    found: dict[str, Any] = orjson.loads(_items(published, [entry], language)[0])
    return found


def _items(published: PublishedSnapshot, entries: Sequence[Entry], language: str) -> list[bytes]:
    texts = published.catalogue.jsons([entry[0] for entry in entries])
    said = _said.of(published, lambda: _Sentences(published.reasons, language), language)
    say = said.__getitem__
    found = []
    for text, (_, score, places, extra) in zip(texts, entries, strict=True):
        why = b",".join(map(say, places))
        more = b"," + orjson.dumps(extra)[1:-1] if extra else b""
        found.append(b"%b%b%b]%b}" % (text, _scored(score), why, more))
    return found


@lru_cache(maxsize=4096)
def _scored(score: float) -> bytes:
    """Between an item and its reasons; a probability has one of a few hundred values."""
    return b',"score":%b,"reasons":[' % repr(score).encode()


class _Sentences(dict[int, bytes]):
    """What is said by place in a layout's reasons, as JSON: many customers are told the same."""

    def __init__(self, reasons: Sequence[int], language: str) -> None:
        super().__init__()
        self._reasons = reasons
        self._language = language

    def __missing__(self, place: int) -> bytes:
        (reason,) = decode([self._reasons[place]])
        text = orjson.dumps(sentence(reason, self._language))
        self[place] = said = b"%b" % text  # a copy: orjson's own keeps kilobytes behind the text
        return said


_said: Remembered[_Sentences] = Remembered(8)  # generations and languages


@lru_cache(maxsize=256)
def _text(value: str | None) -> bytes:
    return orjson.dumps(value)


@lru_cache(maxsize=64)
def _expiry(created_at: datetime | None, days: int) -> int:
    """Unix time; 0 without a snapshot: such a link names nobody and cannot run out."""
    return int((created_at + timedelta(days=days)).timestamp()) if created_at else 0
