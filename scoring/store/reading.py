"""What one call learnt from the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from scoring.store.catalogue import ScoredItem
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.published import PublishedSnapshot
from scoring.store.recent_record import RecentEvent
from scoring.store.records import CustomerRecord


class Reading:
    """A customer's scores and recent events, all of one snapshot (``published``).

    ``customer`` is the person's hash, aliases resolved (None: no customer was asked for);
    ``record`` is None if the snapshot does not know the customer; ``recent`` is newest first.
    ``sent``: when the customer got messages lately, in seconds since 1970. ``carried``: the
    command that travelled along was done.
    """

    __slots__ = ("carried", "customer", "published", "recent", "record", "sent")

    def __init__(
        self,
        published: PublishedSnapshot,
        customer: bytes | None = None,
        record: CustomerRecord | None = None,
        recent: tuple[RecentEvent, ...] = (),
        *,
        sent: tuple[float, ...] = (),
        carried: bool = False,
    ) -> None:
        self.published = published
        self.customer = customer
        self.record = record
        self.recent = recent
        self.sent = sent
        self.carried = carried

    @property
    def snapshot(self) -> str:
        return self.published.snapshot

    @property
    def customer_known(self) -> bool:
        return self.record is not None

    def items(self, limit: int | None = None, *, exclude: Collection[str] = ()) -> list[ScoredItem]:
        """The customer's sellable items with probabilities and reasons, best first, but those with
        ids in ``exclude``; empty for an unknown customer. Raises StoreUnavailable("rubbish")."""
        if self.record is None:
            return []
        return self.published.choose(self.record.explained(), limit, exclude)

    def brands(self, limit: int | None = None) -> list[tuple[str, float]]:
        """(brand, probability), best first. Raises StoreUnavailable("rubbish")."""
        if self.record is None:
            return []
        return _named(self.record.brands(), self.published.brands, limit)

    def categories(self, limit: int | None = None) -> list[tuple[str, float]]:
        """(category, probability), best first. Raises StoreUnavailable("rubbish")."""
        if self.record is None:
            return []
        return _named(self.record.categories(), self.published.categories, limit)


def _named(
    pairs: Iterable[tuple[int, float]], names: Sequence[str], limit: int | None
) -> list[tuple[str, float]]:
    try:
        return [(names[index], probability) for index, probability in islice(pairs, limit)]
    except (RecordError, IndexError) as problem:
        raise StoreUnavailable("rubbish", str(problem)) from None
