"""From what was picked to the bytes of the answer, joined from prepared ones.

The same call within a snapshot and a state of the customer's session gives the same bytes.
"""

from __future__ import annotations

from array import array
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from plugin.content.asked import Entry
from plugin.content.call import Call
from plugin.landing.token import Landing
from plugin.runtime import Runtime, Workspace
from scoring.reasons.reason import decode
from scoring.reasons.words import sentence
from scoring.store.catalogue import Catalogue

if TYPE_CHECKING:
    from plugin.content.service import Chosen

_TRUTH = (b"false", b"true")


def compose(runtime: Runtime, here: Workspace, call: Call, chosen: Chosen) -> bytes:
    """The JSON text of a content answer."""
    picked = chosen.picked
    snapshot = chosen.reading.published.snapshot
    decision = decision_id(runtime, here, call, chosen)
    language = call.arguments.get("locale") or here.settings.locale
    catalogue = chosen.reading.published.catalogue
    items = b",".join([_item(catalogue, entry, language) for entry in picked.entries])
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
    found.update(array("I", [entry.number for entry in picked.entries]).tobytes())
    return found.digest()


def landing_url(
    runtime: Runtime, here: Workspace, call: Call, chosen: Chosen, decision: bytes
) -> str:
    """The link to this customer's page. It runs out some days after the snapshot was made (not
    after the call: a repeated call gives the same link)."""
    made = chosen.created_at
    landing = Landing(
        workspace=here.settings.workspace,
        campaign=call.campaign,
        customer=chosen.customer if chosen.customer and made else b"",
        expires_at=_expiry(made, here.settings.landing.link_ttl_days),
        decision=decision,
        channel=call.arguments.get("channel", ""),
    )
    return f"{runtime.settings.public_url}/l/{runtime.links.write(landing)}"


def shown(catalogue: Catalogue, entry: Entry, language: str) -> dict[str, Any]:
    """One item as content answers show it."""
    found: dict[str, Any] = orjson.loads(_item(catalogue, entry, language))
    return found


def _item(catalogue: Catalogue, entry: Entry, language: str) -> bytes:
    number, score, reasons, extra = entry
    return b'%b,"score":%b,"reasons":%b%b}' % (
        catalogue.json(number)[:-1],
        repr(score).encode(),
        _sentences(reasons, language) if reasons else b"[]",
        b"," + orjson.dumps(extra)[1:-1] if extra else b"",
    )


@lru_cache(maxsize=16_384)
def _sentences(reasons: tuple[int, ...], language: str) -> bytes:
    """Many customers are told the same."""
    return orjson.dumps([sentence(each, language) for each in decode(reasons)])


@lru_cache(maxsize=256)
def _text(value: str | None) -> bytes:
    return orjson.dumps(value)


def _expiry(created_at: datetime | None, days: int) -> int:
    """Unix time; 0 without a snapshot: such a link names nobody and cannot run out."""
    return int((created_at + timedelta(days=days)).timestamp()) if created_at else 0
