"""A published snapshot as a process holds it: items, relations, names, popular items.

One generation's customer records are read from Redis a call at a time; everything here is loaded
once, when the pointer moves. What is large lies in a file that the processes of a machine share
(scoring.store.columns_file): the first one that needs a generation writes it.
"""

from __future__ import annotations

import fcntl
import io
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scoring.store.catalogue import Catalogue, Item, ScoredItem, write_columns, write_index
from scoring.store.client import Client
from scoring.store.columns_file import Columns, ColumnsWriter, write_beside
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.keys import Keys
from scoring.store.live import LiveItem
from scoring.store.records import NO_RELATIONS, Relations, Widths

VERSION = 1  # of the columns: a process of another version writes its own file
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
    reasons: Sequence[int] = ()  # that customers' records name by position
    # widths of the indexes of items, brands and categories in customers' records
    codes: Sequence[Sequence[int]] = ()

    @property
    def widths(self) -> Widths:
        rows = self.published_items, len(self.brands), len(self.categories)
        return Widths.of(*rows, self.codes)

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
    """Reads are thread-safe: nothing changes after construction; ``with_live`` gives another.

    Raises RecordError if the columns do not fit the layout.
    """

    def __init__(
        self, layout: Layout, columns: Columns, catalogue: Catalogue | None = None
    ) -> None:
        self._layout = layout
        self._columns = columns
        self.generation = layout.generation
        self.meta = layout.meta
        self.snapshot: str = layout.meta["snapshot"]
        self.widths = layout.widths
        self.brands = layout.brands
        self.categories = layout.categories
        self.popular_entries = layout.popular  # (number, score), best first
        self.arrivals = layout.arrivals
        self.timezones = layout.timezones
        self.channels = layout.channels
        self.reasons = layout.reasons
        self.catalogue = catalogue or Catalogue(columns)
        self._relations = columns.texts("relations")
        if not len(self.catalogue) == layout.published_items == len(self._relations):
            raise RecordError(f"{len(self.catalogue)} items, expected {layout.published_items}")

    def with_live(self, live: Mapping[int, LiveItem]) -> PublishedSnapshot:
        """The same snapshot under other live changes."""
        return PublishedSnapshot(self._layout, self._columns, self.catalogue.with_live(live))

    def item(self, item_id: str) -> Item | None:
        """A published item, or None."""
        return self.catalogue.get(item_id)

    def related_of(self, number: int) -> list[tuple[int, float]]:
        """(number, score) of others one may like who looks at this item, best first.

        Raises StoreUnavailable("rubbish").
        """
        return self.relations_of(number).related

    def together_of(self, number: int) -> list[tuple[int, float]]:
        """Likewise what is bought together with it."""
        return self.relations_of(number).together

    def popular(
        self, limit: int | None = None, *, exclude: Collection[str] = ()
    ) -> list[ScoredItem]:
        """Sellable items that most customers buy, best first, but those with ids in ``exclude``."""
        return self.choose(self.popular_entries, limit, exclude)

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
            ScoredItem(catalogue.item(number), score, *map(self.reason_numbers, reasons))
            for number, score, *reasons in entries
            if number not in unwanted and catalogue.sellable(number)
        )
        try:
            return list(islice(found, limit))
        except (RecordError, IndexError) as problem:
            raise StoreUnavailable("rubbish", str(problem)) from None

    def reason_numbers(self, places: Iterable[int]) -> tuple[int, ...]:
        """Reasons by their places in the layout, as scoring.reasons.reason.decode reads them.

        Raises IndexError for a place that is not there.
        """
        return tuple([self.reasons[place] for place in places])

    def _of(self, item_id: str) -> Relations:
        number = self.catalogue.number(item_id)
        return NO_RELATIONS if number is None else self.relations_of(number)

    def relations_of(self, number: int) -> Relations:
        """Both lists of an item. Raises StoreUnavailable("rubbish")."""
        try:
            return Relations.unpack(self._relations[number], self.widths.items)
        except (RecordError, IndexError) as problem:
            raise StoreUnavailable("rubbish", str(problem)) from None


def nothing_published() -> PublishedSnapshot:
    """What there is before the first night: no items at all."""
    layout = Layout("", {"snapshot": ""}, 0, 0, [], [], [])
    return in_memory(layout, [], [])


def in_memory(
    layout: Layout, item_chunks: Iterable[bytes], relation_chunks: Iterable[bytes]
) -> PublishedSnapshot:
    """From packed chunks, without a file. Raises RecordError for rubbish."""
    buffer = io.BytesIO()
    writer = ColumnsWriter(buffer, "json")
    _write(zip(item_chunks, relation_chunks, strict=True), writer)
    writer.close()
    return PublishedSnapshot(layout, Columns(buffer.getvalue()))


def load(
    client: Client, keys: Keys, generation: str, folder: Path | None = None
) -> PublishedSnapshot:
    """A generation, mapped from ``folder`` (which is where its columns are written first, by one
    process at a time); without a folder, or one that cannot be written to, in memory.

    Raises StoreUnavailable("loading") if it is not (or no longer) there, RecordError for rubbish.
    """
    raw: Any = client.get(keys.meta(generation))
    if raw is None:
        raise StoreUnavailable("loading", f"generation {generation} is gone")
    layout = Layout.unpack(raw)
    chunks = partial(_chunks, client, keys, layout)
    if folder is not None:
        try:
            return PublishedSnapshot(layout, _mapped(folder, generation, chunks))
        except OSError:
            pass  # a full disk, a folder that is not ours: memory will do
        except RecordError:
            # written from what was damaged: once that is repaired, it is to be read again
            _path(folder, generation).unlink(missing_ok=True)
            raise
    pairs = list(chunks())
    return in_memory(layout, [items for items, _ in pairs], [records for _, records in pairs])


Pairs = Iterator[tuple[bytes, bytes]]


def _mapped(folder: Path, generation: str, chunks: Callable[[], Pairs]) -> Columns:
    path = _path(folder, generation)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return Columns.open(path)
        except (FileNotFoundError, RecordError):
            write_beside(path, "json", lambda writer: _write(chunks(), writer))
        columns = Columns.open(path)
        for other in folder.glob("*.columns"):
            if other != path:  # who has it mapped keeps it
                other.unlink(missing_ok=True)
        return columns


def _path(folder: Path, generation: str) -> Path:
    return folder / f"{generation}.v{VERSION}.columns"


def _write(chunks: Iterable[tuple[bytes, bytes]], writer: ColumnsWriter) -> None:
    def items() -> Iterator[bytes]:
        for chunk, relations in chunks:
            for record in _unpacked_relations(relations):
                writer.text("relations", record)
            yield chunk

    write_columns(items(), writer)
    write_index(writer, writer.texts_of("ids"))


def _unpacked_relations(chunk: bytes) -> Iterator[bytes]:
    try:
        text = zlib.decompress(chunk)
        (count,) = _COUNT.unpack_from(text)
        lengths = struct.unpack_from(f"<{count}H", text, _COUNT.size)
    except (zlib.error, struct.error) as problem:
        raise RecordError(f"relations: {problem}") from None
    starts = list(accumulate(lengths, initial=_COUNT.size * (1 + count)))
    if starts[-1] != len(text):
        raise RecordError(f"relations: {len(text)} bytes, expected {starts[-1]}")
    return (text[a:b] for a, b in pairwise(starts))


def _chunks(client: Client, keys: Keys, layout: Layout) -> Pairs:
    """Some a round trip. Raises StoreUnavailable("loading") when they are going away."""
    generation = layout.generation
    for first in range(0, layout.chunks, _CHUNKS_A_TRIP):
        numbers = range(first, min(first + _CHUNKS_A_TRIP, layout.chunks))
        pipe = client.pipeline(transaction=False)
        for number in numbers:
            pipe.get(keys.items(generation, number))
            pipe.get(keys.related(generation, number))
        answers = pipe.execute()
        if None in answers:
            raise StoreUnavailable("loading", f"generation {generation} is going away")
        yield from zip(answers[::2], answers[1::2], strict=True)
