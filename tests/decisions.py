"""Decisions for tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from scoring.holdout import TREATMENT
from scoring.store.decisions import Decision

AT_S = 1_772_409_600.25  # 2026-03-02T00:00:00.25Z
CUSTOMER = bytes(range(12))


def published(items: int = 10) -> Any:
    """What a decision chose from, with items ``item-00`` …"""
    names = [f"item-{number:02d}" for number in range(items)]
    return SimpleNamespace(catalogue=SimpleNamespace(id=names.__getitem__))


PUBLISHED = published()


def decision(number: int = 0, **changes: Any) -> Decision:
    """The decision of this number, each of its own; two items."""
    made = Decision(
        decision_id=f"{number:032x}",
        at_s=AT_S + number,
        kind="for-you",
        campaign="spring",
        channel="email",
        customer=CUSTOMER,
        snapshot="20260302T000000Z",
        policy="for-you/1",
        arm=TREATMENT,
        reason=None,
        send=True,
        send_reason=None,
        numbers=(3, 1),
        scores=(0.5, 0.25),
        published=PUBLISHED,
    )
    return made._replace(**changes)
