"""From a choice to the answer that a template reads: the same call gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from plugin.content.choice import Choice
from plugin.landing.token import Landing
from plugin.runtime import Runtime, Workspace
from scoring.reasons.reason import decode
from scoring.reasons.words import sentence
from scoring.store.catalogue import ScoredItem

_UNIT = "\x1f"


def compose(
    runtime: Runtime,
    workspace: Workspace,
    choice: Choice,
    route: str,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """The JSON of a content answer."""
    return {
        "ok": True,
        "fallback": choice.fallback,
        "reason": choice.reason,
        "customer_known": choice.customer_known,
        "snapshot": choice.snapshot,
        "decision_id": decision_id(runtime.secret, workspace, choice, route, arguments),
        "items": [shown(scored, workspace.settings.locale) for scored in choice.items],
        "landing_url": landing_url(runtime, workspace, choice, arguments),
    }


def shown(scored: ScoredItem, language: str) -> dict[str, Any]:
    """One item with its score, and the reasons for it as sentences."""
    reasons = [_told(number, language) for number in scored.reasons]
    return scored.item.to_json() | {"score": scored.score, "reasons": reasons}


@lru_cache(maxsize=16_384)
def _told(number: int, language: str) -> str:
    """Many customers are told the same, so that an answer waits for no sentence to be made."""
    (reason,) = decode([number])
    return sentence(reason, language)


def decision_id(
    secret: bytes, workspace: Workspace, choice: Choice, route: str, arguments: Mapping[str, Any]
) -> str:
    """32 hex digits out of snapshot, route and arguments; keyed, as it goes out with messages."""
    parts = [workspace.settings.workspace, choice.snapshot or "", choice.reason or "", route]
    parts += [f"{name}={arguments[name]}" for name in sorted(arguments)]
    text = _UNIT.join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=secret[:64], digest_size=16).hexdigest()


def landing_url(
    runtime: Runtime, workspace: Workspace, choice: Choice, arguments: Mapping[str, Any]
) -> str:
    """The link to this customer's page. It runs out some days after the snapshot was made (not
    after the call: a repeated call gives the same link)."""
    customer = arguments["customer"]
    landing = Landing(
        workspace=workspace.settings.workspace,
        campaign=arguments["campaign"],
        customer=workspace.reader.hash_of(customer) if customer and choice.created_at else b"",
        expires_at=_expiry(choice.created_at, workspace.settings.landing.link_ttl_days),
    )
    return f"{runtime.settings.public_url}/l/{runtime.links.write(landing)}"


def _expiry(created_at: datetime | None, days: int) -> int:
    """Unix time; 0 without a snapshot: such a link names nobody and cannot run out."""
    return int((created_at + timedelta(days=days)).timestamp()) if created_at else 0
