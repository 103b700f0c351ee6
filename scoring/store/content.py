"""What a publication holds besides customers: the items that occur, their relations, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring.snapshot import SCORES, Snapshot
from scoring.snapshot_schema import completed
from scoring.store.catalogue import CHUNK, Item, ScoredItem, pack_chunk
from scoring.store.code_choice import best_widths
from scoring.store.extras import ExtrasNames
from scoring.store.extras_packing import extras_names
from scoring.store.packing import Ranked, pack_relations, ranked
from scoring.store.published import Layout, pack_relations_chunk
from scoring.store.reasons_packing import Reasons, told
from scoring.store.records import Widths

POPULAR = 500  # items of the popular list
FALLBACK_ITEMS = 200
_SLICE = 16_384  # rows
# columns of the snapshot's items in the order of Item's fields
_ITEM_FIELDS = (
    c.ITEM_ID, c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.IMAGE_URL, c.URL, c.MARGIN, c.SELLABLE,
    c.STOCK, c.TAGS, c.REPEAT_DAYS, c.NEW_SINCE, c.PRICE_BEFORE, c.BACK_SINCE, c.SOLD,
)  # fmt: skip
_TAGS = _ITEM_FIELDS.index(c.TAGS)
# columns that name items (0), brands (1) and categories (2)
_COUNTED = {
    c.ITEM_INDEX: 0, c.DUE_INDEX: 0, c.WATCHED_INDEX: 0, c.BRAND_INDEX: 1, c.CATEGORY_INDEX: 2,
}  # fmt: skip
_NAMING = {*_COUNTED, c.TIMEZONE, c.NIGHT_CONSENT, c.SENT_CHANNEL, c.ITEM_REASONS}


class Content:
    """Only items that occur in a customer's list, as popular or in relations are published; they
    are renumbered (``numbers``: int64, snapshot's item index → published number or -1)."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._meta = snapshot.meta.to_json()
        self._items = snapshot.items()
        self._related = snapshot.related()
        self._popular = snapshot.popular()
        self._arrivals = snapshot.arrivals()
        occurring = _Occurring.of(snapshot)
        self.names = occurring.names
        self.reasons = occurring.reasons
        published = np.flatnonzero(self._published(occurring.items))
        self._used = published[_often_first(occurring.items[published])]
        brands, categories = map(_often_first, (occurring.brands, occurring.categories))
        self.numbers = _numbers(self._used, self._items.num_rows)
        self.brand_numbers = _numbers(brands, len(brands))
        self.category_numbers = _numbers(categories, len(categories))
        self.brands: list[str] = snapshot.brands()[c.BRAND].take(brands).to_pylist()
        self.categories: list[str] = snapshot.categories()[c.CATEGORY].take(categories).to_pylist()
        self._brand_index = {name: index for index, name in enumerate(self.brands)}
        self._category_index = {name: index for index, name in enumerate(self.categories)}
        self.chunks = -(-len(self._used) // CHUNK)
        self._codes = [
            best_widths(occurring.items[self._used]),
            best_widths(occurring.brands[brands]),
            best_widths(occurring.categories[categories]),
        ]
        rows = len(self._used), len(brands), len(categories)
        self.widths = Widths.of(*rows, self._codes)
        self._relations = self._pack_relations()

    def layout(self, generation: str) -> Layout:
        return Layout(
            generation=generation,
            meta=self._meta,
            chunks=self.chunks,
            published_items=len(self._used),
            brands=self.brands,
            categories=self.categories,
            popular=self._scored(self._popular.slice(0, POPULAR)),
            arrivals=self._scored(self._arrivals),
            timezones=list(self.names.timezones),
            channels=list(self.names.channels),
            reasons=self.reasons.numbers.tolist(),
            codes=self._codes,
        )

    def items(self, chunk: int) -> bytes:
        """The packed chunk of the catalogue."""
        items = self._read_items(self._used[chunk * CHUNK : (chunk + 1) * CHUNK])
        return pack_chunk(items, self._brand_index, self._category_index)

    def relations(self, chunk: int) -> bytes:
        """The packed relations of the same items."""
        numbers = range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self._used)))
        return pack_relations_chunk([self._relations.get(number, b"") for number in numbers])

    def fallback(self) -> list[ScoredItem]:
        """The best popular items that can be sold."""
        indexes = self._popular[c.ITEM_INDEX].to_numpy()
        scores = self._popular["score"].to_pylist()
        sellable = self._items["sellable"].to_numpy()[indexes]
        chosen = np.flatnonzero(sellable)[:FALLBACK_ITEMS]
        items = self._read_items(indexes[chosen])
        return [ScoredItem(item, scores[at]) for item, at in zip(items, chosen, strict=True)]

    def _scored(self, rows: pa.Table) -> list[tuple[int, float]]:
        numbers = self.numbers[rows[c.ITEM_INDEX].to_numpy()].tolist()
        return list(zip(numbers, rows["score"].to_pylist(), strict=True))

    def _published(self, occurring: np.ndarray) -> np.ndarray:
        """bool (items,): what occurs (so often), is popular, new, or goes with another item."""
        used = occurring > 0
        used[self._popular[c.ITEM_INDEX].to_numpy()[:POPULAR]] = True
        used[self._arrivals[c.ITEM_INDEX].to_numpy()] = True
        used[self._related[c.ITEM_INDEX].to_numpy()] = True
        for column in ("related_index", "together_index"):
            used[pc.list_flatten(self._related[column]).to_numpy()] = True
        return used

    def _read_items(self, indexes: np.ndarray) -> Iterator[Item]:
        rows = self._items.take(pa.array(indexes, pa.int64()))
        columns = [rows[name].to_pylist() for name in _ITEM_FIELDS]
        columns[_TAGS] = list(map(tuple, columns[_TAGS]))
        return map(Item._make, zip(*columns, strict=True))

    def _pack_relations(self) -> dict[int, bytes]:
        packed: dict[int, bytes] = {}
        for start in range(0, self._related.num_rows, _SLICE):
            rows = self._related.slice(start, _SLICE).combine_chunks()
            records = pack_relations(
                self._ranked(rows, "related_index", "related_score"),
                self._ranked(rows, "together_index", "together_score"),
                self.widths.items,
            )
            numbers = self.numbers[rows[c.ITEM_INDEX].to_numpy()].tolist()
            packed.update(zip(numbers, records, strict=True))
        return packed

    def _ranked(self, rows: pa.Table, indexes: str, scores: str) -> Ranked:
        return ranked(rows[indexes].combine_chunks(), rows[scores].combine_chunks(), self.numbers)


def _often_first(occurring: np.ndarray) -> np.ndarray:
    """Places by how often they occur; equal ones as they stand."""
    return np.argsort(-occurring, kind="stable")


def _numbers(places: np.ndarray, rows: int) -> np.ndarray:
    """int64 (rows,): the number of each row, -1 for those that are not among ``places``."""
    numbers = np.full(rows, -1, np.int64)
    numbers[places] = np.arange(len(places))
    return numbers


class _Occurring(NamedTuple):
    """How often customers' rows name each item, brand and category: int64 each; and what their
    extras and reasons name."""

    items: np.ndarray
    brands: np.ndarray
    categories: np.ndarray
    names: ExtrasNames
    reasons: Reasons

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Occurring:
        meta = snapshot.meta
        items, brands, categories = counts = [
            np.zeros(rows, np.int64) for rows in (meta.items, meta.brands, meta.categories)
        ]
        zones: set[str] = set()
        channels: set[str] = set()
        reasons: list[tuple[np.ndarray, np.ndarray]] = []
        for batch in snapshot.batches():
            rows = completed(SCORES, batch.select([n for n in batch.column_names if n in _NAMING]))
            for column, which in _COUNTED.items():
                indexes = pc.list_flatten(rows[column]).to_numpy()
                counts[which] += np.bincount(indexes, minlength=len(counts[which]))
            for chunk in rows[c.ITEM_REASONS].chunks:
                reasons.append(told(chunk))
            names = extras_names(rows)
            zones.update(names.timezones)
            channels.update(names.channels)
        names = ExtrasNames(tuple(sorted(zones)), tuple(sorted(channels)))
        return cls(items, brands, categories, names, Reasons(reasons))
