"""What customers did, as arrays: the form in which every model reads the lake.

Customers and items are numbered from 0 in the order of their sorted ids; brands and categories
likewise. Times are whole hours since the Unix epoch (UTC), so that a run repeated within the hour
gives the same bytes. Nothing here knows a label: a model sees a ``LevelView``, which is cut off.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

LEVELS = ("item", "brand", "category")
BOUGHT, ENGAGED, CLICKED = 0, 1, 2  # event classes in History.kind


def starts(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each run of equal values begins in a sorted array."""
    if len(ordered) == 0:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted distinct values; several times as fast as numpy.unique, which hashes first."""
    ordered = np.sort(values)
    return ordered[starts(ordered)]


def crossed(one: Ints, other: Ints) -> Ints:
    """int32[n]: a number from 0 on for each pair of numbers that occurs, -1 where one is -1."""
    both = one.astype(np.int64) * (int(other.max(initial=-1)) + 1) + other
    known = (one >= 0) & (other >= 0)
    out = np.full(len(one), -1, dtype=np.int32)
    out[known] = np.searchsorted(distinct(both[known]), both[known])
    return out


def hour_of(moment: datetime) -> int:
    """Whole hours since the epoch, rounded up: every event before ``moment`` has a smaller hour."""
    return int(-(-moment.timestamp() // 3600))


def _nothing() -> NDArray[np.float32]:
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True)
class Catalogue:
    """Items and what they belong to.

    ``item_id``: str[n_items], sorted. ``names[level]``: str[n_level]. ``of_item[level]``:
    int32[n_items], the item's number at that level, -1 for none. ``price``: float32[n_items], NaN
    when unknown. ``sellable``: bool[n_items], false when out of stock or not yet available.
    ``content``: float32[n_items, d], what each item is (scoring.item_text), rows of length 1 or 0;
    ``content_centres``: float32[k, d], the middles of broad kinds of items; both [0, 0] when not
    known. ``content_kind``: int32[n_items], the narrow kind of each item, -1 none; ``name_kind``:
    the same by equal names; both [0] likewise.
    """

    names: Mapping[str, NDArray[np.str_]]
    of_item: Mapping[str, Ints]
    price: NDArray[np.float32]
    sellable: NDArray[np.bool_]
    content: NDArray[np.float32] = field(default_factory=_nothing)
    content_centres: NDArray[np.float32] = field(default_factory=_nothing)
    content_kind: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    name_kind: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @property
    def n_items(self) -> int:
        return len(self.price)

    def size(self, level: str) -> int:
        return len(self.names[level])

    @functools.cached_property
    def wider(self) -> dict[str, Ints]:
        """What each item belongs to beside others, by name: int32[n_items], -1 none."""
        brand, category = self.of_item["brand"], self.of_item["category"]
        kind = self.name_kind if len(self.name_kind) else np.full(self.n_items, -1, np.int32)
        return {
            "brand": brand,
            "category": category,
            "kind": kind,
            "kind_brand": crossed(kind, brand),
            "category_brand": crossed(category, brand),
        }

    def find(self, level: str, name: str) -> int | None:
        """The number of the target of this name, whichever way its characters are composed: a Mac
        may write what looks the same as several code points, Korean syllables too."""
        names = self.names[level]
        for written in (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))):
            at = int(np.searchsorted(names, written))
            if at < len(names) and names[at] == written:
                return at
        return None


@dataclass(frozen=True)
class History:
    """Events as parallel arrays, ordered by (hour, customer, item, kind).

    ``customer``, ``item``: int32[n]; ``hour``: int32[n]; ``kind``: int8[n], one of BOUGHT,
    ENGAGED (viewed, carted, searched, interested), CLICKED (a message); ``customers``: ids, str.
    An item of -1 is an event about no item. ``profile_customer``, ``profile_feature``: int32[m],
    which customers have which profile feature ("age=65+"), named by ``profile_names``: str[k].
    """

    customers: NDArray[np.str_]
    customer: Ints
    item: Ints
    hour: Ints
    kind: NDArray[np.int8]
    catalogue: Catalogue
    profile_names: NDArray[np.str_]
    profile_customer: Ints
    profile_feature: Ints
    _views: dict[tuple[int, str, int], LevelView] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def n_customers(self) -> int:
        return len(self.customers)

    def sells(self) -> bool:
        """Whether any purchase is of an item."""
        return bool(((self.kind == BOUGHT) & (self.item >= 0)).any())

    def select(self, kind: int, *, start: int | None = None, end: int) -> tuple[Ints, Ints, Ints]:
        """(customer, item, hour) of one event class with start ≤ hour < end."""
        mask = (self.kind == kind) & (self.hour < end)
        if start is not None:
            mask &= self.hour >= start
        return self.customer[mask], self.item[mask], self.hour[mask]

    def where(self, keep: NDArray[np.bool_]) -> Self:
        """The same customers and items with some of the events (``keep``: bool[n])."""
        kept = {name: getattr(self, name)[keep] for name in _EVENTS}
        return replace(self, **kept)

    def known_customers(self, cutoff: int) -> NDArray[np.bool_]:
        """bool[n_customers]: has any event before the cut-off."""
        known = np.zeros(self.n_customers, dtype=bool)
        known[self.customer[self.hour < cutoff]] = True
        return known

    def view(self, level: str, cutoff: int, kind: int = BOUGHT) -> LevelView:
        """The past of one level before ``cutoff`` (hours); views of the last cut-off are kept."""

        def make() -> LevelView:
            of_item, size = self.catalogue.of_item[level], self.catalogue.size(level)
            return self.view_of(of_item, size, cutoff, kind)

        return self._kept((cutoff, level, kind), make)

    def view_of(self, of_item: Ints, n_targets: int, cutoff: int, kind: int = BOUGHT) -> LevelView:
        """Like ``view`` for any grouping of items (``of_item``: int32[n_items], -1 = not in it)."""
        customer, item, hour = self.select(kind, end=cutoff)
        target = np.where(item >= 0, of_item[item], -1)
        keep = target >= 0
        age = (cutoff - 1 - hour[keep]) // 24
        return LevelView.of(
            customer[keep], target[keep], age.astype(np.int32), self.n_customers, n_targets
        )

    def visits(self, cutoff: int, kind: int = BOUGHT) -> LevelView:
        """Days on which each customer was active: a level with one target."""

        def make() -> LevelView:
            customer, _, hour = self.select(kind, end=cutoff)
            age = ((cutoff - 1 - hour) // 24).astype(np.int32)
            zeros = np.zeros(len(customer), dtype=np.int32)
            return LevelView.of(customer, zeros, age, self.n_customers, 1)

        return self._kept((cutoff, "visits", kind), make)

    def _kept(self, key: tuple[int, str, int], make: Callable[[], LevelView]) -> LevelView:
        """A view is sorted once for all models of a cut-off; those of other cut-offs go."""
        with self._lock:
            if key not in self._views:
                for other in [k for k in self._views if k[0] != key[0]]:
                    del self._views[other]
                self._views[key] = make()
            return self._views[key]

    def labels(
        self, of_item: Ints, n_targets: int, start: int, end: int, kind: int
    ) -> NDArray[np.int64]:
        """Sorted distinct ``customer * n_targets + target`` of the events in [start, end)."""
        customer, item, _ = self.select(kind, start=start, end=end)
        target = np.where(item >= 0, of_item[item], -1)
        keep = target >= 0
        return distinct(customer[keep].astype(np.int64) * n_targets + target[keep])


@dataclass(frozen=True)
class LevelView:
    """One level's past as distinct (customer, target, day) triples before a cut-off.

    Ordered by (customer, target, age). ``age``: int32[n], whole days before the cut-off, 0 = the
    last 24 hours. ``pair``: int64[n_pairs] sorted keys customer * n_targets + target;
    ``start``: int64[n_pairs + 1] offsets of each pair's days.
    """

    customer: Ints
    target: Ints
    age: Ints
    pair: NDArray[np.int64]
    start: NDArray[np.int64]
    n_customers: int
    n_targets: int

    @classmethod
    def of(
        cls, customer: Ints, target: Ints, age: Ints, n_customers: int, n_targets: int
    ) -> LevelView:
        """Deduplicates the days of raw events."""
        span = int(age.max(initial=0)) + 1
        key = (customer.astype(np.int64) * n_targets + target) * span + age
        key = distinct(key)
        pairs, ages = key // span, (key % span).astype(np.int32)
        first = starts(pairs)
        return cls(
            customer=(pairs // n_targets).astype(np.int32),
            target=(pairs % n_targets).astype(np.int32),
            age=ages,
            pair=pairs[first],
            start=np.append(first, len(pairs)).astype(np.int64),
            n_customers=n_customers,
            n_targets=n_targets,
        )

    @property
    def days(self) -> NDArray[np.int64]:
        """int64[n_pairs]: on how many days the pair occurred."""
        return np.diff(self.start)

    @property
    def pair_customer(self) -> Ints:
        return (self.pair // self.n_targets).astype(np.int32)

    @property
    def pair_target(self) -> Ints:
        return (self.pair % self.n_targets).astype(np.int32)

    def decayed(self, half_life_days: float) -> NDArray[np.float32]:
        """float32[n_pairs]: Σ 2^(−age / half-life) over the pair's days."""
        if len(self.pair) == 0:
            return np.zeros(0, dtype=np.float32)
        weight = np.exp2(-self.age / half_life_days)
        return np.add.reduceat(weight, self.start[:-1]).astype(np.float32)

    def before(self, days: int) -> LevelView:
        """The same past as it was known ``days`` earlier."""
        if days == 0:
            return self
        keep = self.age >= days
        count = np.add.reduceat(keep, self.start[:-1]) if len(self.pair) else self.days
        has = count > 0
        return LevelView(
            customer=self.customer[keep],
            target=self.target[keep],
            age=self.age[keep] - np.int32(days),
            pair=self.pair[has],
            start=np.concatenate([[0], np.cumsum(count[has])]).astype(np.int64),
            n_customers=self.n_customers,
            n_targets=self.n_targets,
        )

    def find(self, customer: Ints, target: Ints) -> NDArray[np.int64]:
        """int64[n]: row in ``pair`` of each asked pair, -1 where it never occurred."""
        key = customer.astype(np.int64) * self.n_targets + target
        if len(self.pair) == 0:
            return np.full(len(key), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.pair, key), len(self.pair) - 1)
        return np.where(self.pair[at] == key, at, -1)


_EVENTS = ("customer", "item", "hour", "kind")
_COLUMNS = ("customers", *_EVENTS, "profile_names", "profile_customer", "profile_feature")
# no file of a catalogue that has none
_CONTENT = ("content", "content_centres", "content_kind", "name_kind")


def save(history: History, folder: Path) -> None:
    """Writes arrays as .npy (no pickle) into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(history, name) for name in _COLUMNS}
    arrays |= {
        "price": history.catalogue.price,
        "sellable": history.catalogue.sellable,
    }
    arrays |= {f"names_{level}": history.catalogue.names[level] for level in LEVELS}
    arrays |= {f"of_item_{level}": history.catalogue.of_item[level] for level in LEVELS}
    arrays |= {
        name: getattr(history.catalogue, name)
        for name in _CONTENT
        if getattr(history.catalogue, name).size
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path) -> History:
    """Reads what ``save`` wrote. Raises FileNotFoundError or ValueError when it is not whole."""

    def array(name: str) -> NDArray:
        return np.load(folder / f"{name}.npy", allow_pickle=False)

    catalogue = Catalogue(
        names={level: array(f"names_{level}") for level in LEVELS},
        of_item={level: array(f"of_item_{level}") for level in LEVELS},
        price=array("price"),
        sellable=array("sellable"),
        **{name: array(name) for name in _CONTENT if (folder / f"{name}.npy").exists()},
    )
    return History(**{name: array(name) for name in _COLUMNS}, catalogue=catalogue)
