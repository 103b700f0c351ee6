"""A published snapshot as a process holds it: items, relations, names, popular items.

One generation's customer records are read from Redis a call at a time; everything here is loaded
once, when the pointer moves.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

import orjson

from scoring.store.catalogue import CHUNK, Catalogue, Item, ScoredItem
from scoring.store.client import Client
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.keys import Keys
from scoring.store.records import NO_RELATIONS, Relations, Widths

_CHUNKS_A_TRIP = 8
_COUNT = struct.Struct("<H")
Entry = tuple[int, float] | tuple[int, float, tuple[int, ...]]


class Layout(NamedTuple):
    """What a generation holds: JSON under its meta key."""

    generation: str
    meta: dict[str, Any]  # SnapshotMeta.to_json()
    chunks: int
    published_items: int
    brands: list[str]
    categories: list[str]
    popular: list[tuple[int, float]]  # (number of the published item, score), best first
    arrivals: Sequence[tuple[int, float]] = ()  # new items likewise
    timezones: Sequence[str] = ()  # that customers' extras name by position
    channels: Sequence[str] = ()

    @property
    def widths(self) -> Widths:
        return Widths.of(self.published_items, len(self.brands), len(self.categories))

    def pack(self) -> bytes:
        return zlib.compress(orjson.dumps(self._asdict()))

    @classmethod
    def unpack(cls, raw: bytes) -> Layout:
        """Raises RecordError for rubbish."""
        try:
            return cls(**orjson.loads(zlib.decompress(raw)))
        except (zlib.error, ValueError, TypeError) as problem:
            raise RecordError(f"layout of a generation: {problem}") from None


class Pointer(NamedTuple):
    """What readers follow: JSON under the pointer key."""

    generation: str
    snapshot: str
    previous: str | None = None  # snapshot that was active before

    def pack(self) -> bytes:
        return orjson.dumps(self._asdict())

    @classmethod
    def unpack(cls, raw: bytes) -> Pointer:
        """Raises RecordError for rubbish."""
        try:
            pointer = cls(**orjson.loads(raw))
        except (ValueError, TypeError) as problem:
            raise RecordError(f"snapshot pointer: {problem}") from None
        if not (isinstance(pointer.generation, str) and isinstance(pointer.snapshot, str)):
            raise RecordError("snapshot pointer names no generation")
        return pointer


def pack_relations_chunk(records: Sequence[bytes]) -> bytes:
    """Relations of a chunk's items, in order; an empty record for an item without any."""
    head = b"".join(_COUNT.pack(number) for number in (len(records), *map(len, records)))
    return zlib.compress(head + b"".join(records), 6)


class PublishedSnapshot:
    """Reads are thread-safe: nothing changes after construction.

    Raises RecordError if the chunks do not fit the layout.
    """

    def __init__(
        self, layout: Layout, item_chunks: Sequence[bytes], relation_chunks: Sequence[bytes]
    ) -> None:
        self.generation = layout.generation
        self.meta = layout.meta
        self.snapshot: str = layout.meta["snapshot"]
        self.widths = layout.widths
        self.brands = layout.brands
        self.categories = layout.categories
        self.catalogue = Catalogue(item_chunks)
        self.arrivals = layout.arrivals
        self.timezones = layout.timezones
        self.channels = layout.channels
        self._popular = layout.popular
        if len(self.catalogue) != layout.published_items:
            raise RecordError(f"{len(self.catalogue)} items, expected {layout.published_items}")
        self._relations = _Relations(relation_chunks)

    def item(self, item_id: str) -> Item | None:
        """A published item, or None."""
        return self.catalogue.get(item_id)

    def popular(
        self, limit: int | None = None, *, exclude: Collection[str] = ()
    ) -> list[ScoredItem]:
        """Sellable items that most customers buy, best first, but those with ids in ``exclude``."""
        return self.choose(self._popular, limit, exclude)

    def related(
        self, item_id: str, limit: int | None = None, *, exclude: Collection[str] = ()
    ) -> list[ScoredItem]:
        """Others one may like; empty for an unknown item."""
        return self.choose(self._of(item_id).related, limit, exclude)

    def together(
        self, item_id: str, limit: int | None = None, *, exclude: Collection[str] = ()
    ) -> list[ScoredItem]:
        """Frequently bought together with the item; empty for an unknown item."""
        return self.choose(self._of(item_id).together, limit, exclude)

    def choose(
        self, entries: Iterable[Entry], limit: int | None, exclude: Collection[str]
    ) -> list[ScoredItem]:
        """The first ``limit`` sellable items of (number, score) or (number, score, reasons)
        entries that are not excluded.

        Raises StoreUnavailable("rubbish") if the entries are damaged.
        """
        catalogue = self.catalogue
        unwanted = {catalogue.number(item_id) for item_id in exclude}
        found = (
            ScoredItem(catalogue.item(number), *scored)
            for number, *scored in entries
            if number not in unwanted and catalogue.sellable(number)
        )
        try:
            return list(islice(found, limit))
        except (RecordError, IndexError) as problem:
            raise StoreUnavailable("rubbish", str(problem)) from None

    def _of(self, item_id: str) -> Relations:
        number = self.catalogue.number(item_id)
        if number is None:
            return NO_RELATIONS
        try:
            return self._relations.of(number, self.widths.items)
        except (RecordError, IndexError) as problem:
            raise StoreUnavailable("rubbish", str(problem)) from None


class _Relations:
    """Packed relations by item number."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._blobs: list[bytes] = []
        self._starts: list[array[int]] = []
        for chunk in chunks:
            try:
                text = zlib.decompress(chunk)
                (count,) = _COUNT.unpack_from(text)
                lengths = struct.unpack_from(f"<{count}H", text, _COUNT.size)
            except (zlib.error, struct.error) as problem:
                raise RecordError(f"relations chunk {len(self._blobs)}: {problem}") from None
            starts = array("I", accumulate(lengths, initial=_COUNT.size * (1 + count)))
            if starts[-1] != len(text):
                raise RecordError(f"relations chunk {len(self._blobs)}: {len(text)} bytes")
            self._blobs.append(text)
            self._starts.append(starts)

    def of(self, number: int, width: int) -> Relations:
        from_chunk, row = divmod(number, CHUNK)
        starts = self._starts[from_chunk]
        return Relations.unpack(self._blobs[from_chunk][starts[row] : starts[row + 1]], width)


def load(client: Client, keys: Keys, generation: str) -> PublishedSnapshot:
    """Reads a generation's catalogue, some chunks a round trip.

    Raises StoreUnavailable("loading") if it is not (or no longer) there, RecordError for rubbish.
    """
    raw: Any = client.get(keys.meta(generation))
    if raw is None:
        raise StoreUnavailable("loading", f"generation {generation} is gone")
    layout = Layout.unpack(raw)
    items: list[bytes] = []
    relations: list[bytes] = []
    for first in range(0, layout.chunks, _CHUNKS_A_TRIP):
        numbers = range(first, min(first + _CHUNKS_A_TRIP, layout.chunks))
        pipe = client.pipeline(transaction=False)
        for number in numbers:
            pipe.get(keys.items(generation, number))
            pipe.get(keys.related(generation, number))
        answers = pipe.execute()
        if None in answers:
            raise StoreUnavailable("loading", f"generation {generation} is going away")
        items += answers[::2]
        relations += answers[1::2]
    return PublishedSnapshot(layout, items, relations)
