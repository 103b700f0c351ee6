"""Which items an answer holds, and why these: personal, related, or the best non-personal ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plugin import documents
from plugin.runtime import Workspace
from scoring.columns import PURCHASE
from scoring.store.catalogue import ScoredItem
from scoring.store.errors import StoreUnavailable
from scoring.store.reading import Reading

UNKNOWN_CUSTOMER = "unknown_customer"
UNKNOWN_ITEM = "unknown_item"
NO_SCORES = "no_scores"
NO_SNAPSHOT = "no_snapshot"
STORE_UNAVAILABLE = "store_unavailable"
REASONS = (UNKNOWN_CUSTOMER, UNKNOWN_ITEM, NO_SCORES, NO_SNAPSHOT, STORE_UNAVAILABLE)


@dataclass(frozen=True)
class Choice:
    """``reason`` is None, or one of REASONS; then the items are not what was asked for but the best
    there is. ``created_at`` is the snapshot's time, None without a snapshot."""

    items: Sequence[ScoredItem]
    reason: str | None
    customer_known: bool
    snapshot: str | None
    created_at: datetime | None
    categories: Sequence[str] = ()
    brands: Sequence[str] = ()

    @property
    def fallback(self) -> bool:
        return self.reason is not None


def for_you(workspace: Workspace, reading: Reading, limit: int) -> Choice:
    """The customer's items, best first; popular ones follow when there are too few."""
    bought = recently_bought(workspace, reading)
    items = reading.items(limit, exclude=bought)
    reason = None if items else NO_SCORES
    if not reading.customer_known:
        reason = UNKNOWN_CUSTOMER
    return _choice(reading, _filled(reading, items, limit, bought), reason)


def related(workspace: Workspace, reading: Reading, item_id: str, limit: int) -> Choice:
    """Others one may like who looks at this item."""
    bought = recently_bought(workspace, reading)
    items = reading.published.related(item_id, limit, exclude=bought)
    return _beside(reading, items, item_id, limit, bought)


def bought_together(workspace: Workspace, reading: Reading, item_id: str, limit: int) -> Choice:
    """What is frequently bought together with this item."""
    bought = recently_bought(workspace, reading)
    items = reading.published.together(item_id, limit, exclude=bought)
    return _beside(reading, items, item_id, limit, bought)


def with_tastes(choice: Choice, reading: Reading, limit: int) -> Choice:
    """The same, with the customer's categories and brands, best first."""
    return replace(
        choice,
        categories=tuple(name for name, _ in reading.categories(limit)),
        brands=tuple(name for name, _ in reading.brands(limit)),
    )


def choose(
    workspace: Workspace, read: Callable[[], Reading], pick: Callable[[Reading], Choice], limit: int
) -> Choice:
    """Read and pick; whatever is wrong with the store gives the best content known without it."""
    try:
        return pick(read())
    except StoreUnavailable as trouble:
        reason = NO_SNAPSHOT if trouble.reason == NO_SNAPSHOT else STORE_UNAVAILABLE
        return without_store(workspace, reason, limit)


def without_store(workspace: Workspace, reason: str, limit: int) -> Choice:
    """The best non-personal content on disk; no items when nothing was ever published."""
    known = workspace.reader.fallback()
    return Choice(
        items=known.items[:limit],
        reason=reason,
        customer_known=False,
        snapshot=known.snapshot,
        created_at=_created_at(workspace, known.snapshot),
    )


def recently_bought(workspace: Workspace, reading: Reading) -> frozenset[str]:
    """Item ids that the customer bought within the workspace's exclude_bought_days."""
    days = timedelta(days=workspace.settings.content.exclude_bought_days)
    since_s = (workspace.now() - days).timestamp()
    return frozenset(
        event.item_id
        for event in reading.recent
        if event.event_type == PURCHASE and event.at_s >= since_s
    )


def _beside(
    reading: Reading, items: list[ScoredItem], item_id: str, limit: int, bought: frozenset[str]
) -> Choice:
    if items:
        return _choice(reading, items, None)
    reason = NO_SCORES if reading.published.item(item_id) else UNKNOWN_ITEM
    return _choice(reading, _filled(reading, [], limit, bought | {item_id}), reason)


def _filled(
    reading: Reading, items: list[ScoredItem], limit: int, bought: frozenset[str]
) -> list[ScoredItem]:
    """Popular items after the chosen ones; their scores never rise above the last chosen one."""
    missing = limit - len(items)
    if missing <= 0:
        return items
    there = bought | {scored.item.id for scored in items}
    popular = reading.published.popular(missing, exclude=there)
    most = items[-1].score if items else float("inf")
    return items + [ScoredItem(scored.item, min(scored.score, most)) for scored in popular]


def _choice(reading: Reading, items: Sequence[ScoredItem], reason: str | None) -> Choice:
    return Choice(
        items=items,
        reason=reason,
        customer_known=reading.customer_known,
        snapshot=reading.snapshot,
        created_at=datetime.fromisoformat(reading.published.meta["created_at"]),
    )


def _created_at(workspace: Workspace, snapshot: str | None) -> datetime | None:
    meta = documents.snapshot(workspace.folder, snapshot) if snapshot else None
    return datetime.fromisoformat(meta["created_at"]) if meta else None
