"""The published items, as every web process of a machine shares them: one memory-mapped file.

A chunk in Redis is zlib-compressed text: a line of JSON with columns, then a line of JSON an item,
which is the item as content answers show it. A process that meets a new generation turns its
chunks into one file of plain columns (``write_columns``), or finds that another process has done
so, and maps it: a hundred thousand items cost a web process next to nothing, and starting with
them takes milliseconds. Live changes (stock, price, withdrawn) lie over the columns.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from scoring.store.columns_file import Columns, ColumnsWriter
from scoring.store.errors import RecordError
from scoring.store.live import LiveItem

CHUNK = 1000  # items
UNKNOWN = -1  # stock, brand, category
NONE = float("nan")


class Item(NamedTuple):
    """One published item; prices and margin in the workspace's currency; days are days since 1970
    (UTC), 0 for none."""

    id: str
    name: str | None
    brand: str | None
    category: str | None
    price: float | None
    image_url: str | None
    url: str | None
    margin: float | None = None
    sellable: bool = True
    stock: int | None = None  # None: not tracked
    tags: tuple[str, ...] = ()
    repeat_days: int = 0  # bought again after so many days; 0: not known
    new_since: int = 0
    price_before: float | None = None  # a higher one, of the last days
    back_since: int = 0  # since then it can be sold again
    sold: float = 0.0  # share of lately sold baskets that hold it; 0: not known

    def to_json(self) -> dict[str, Any]:
        """As content answers show it: id, name, brand, category, price, image_url, url."""
        return dict(zip(_SHOWN, self[: len(_SHOWN)], strict=True))


class ScoredItem(NamedTuple):
    """An item and its probability (for a customer) or score (related, popular).

    ``reasons``: why for this customer, numbers that scoring.reasons.reason.decode reads.
    """

    item: Item
    score: float
    reasons: tuple[int, ...] = ()


_SHOWN = Item._fields[:7]
# name of a column: its type (as of array), what stands there when a chunk lacks it
_COLUMNS: Mapping[str, tuple[str, Any]] = {
    "price": ("d", None), "margin": ("d", None), "sellable": ("B", 1), "brand": ("i", UNKNOWN),
    "category": ("i", UNKNOWN), "stock": ("i", UNKNOWN), "repeat_days": ("H", 0),
    "new_since": ("H", 0), "price_before": ("d", None), "back_since": ("H", 0),
    "sold": ("d", 0.0),
}  # fmt: skip
_TEXTS = ("json", "ids", "tags")


def pack_chunk(
    items: Iterable[Item], brands: Mapping[str, int], categories: Mapping[str, int]
) -> bytes:
    """At most CHUNK items as Redis keeps them. ``brands``, ``categories``: name → index."""
    rows = list(items)
    head: dict[str, list[Any]] = {
        name: [getattr(item, name) for item in rows]
        for name in (
            "margin",
            "sellable",
            "repeat_days",
            "new_since",
            "price_before",
            "back_since",
            "sold",
        )
    }
    head["ids"] = [item.id for item in rows]
    head["tags"] = [item.tags for item in rows]
    head["stock"] = [UNKNOWN if item.stock is None else item.stock for item in rows]
    head["brand"] = [brands.get(item.brand or "", UNKNOWN) for item in rows]
    head["category"] = [categories.get(item.category or "", UNKNOWN) for item in rows]
    lines = [orjson.dumps(head), *(orjson.dumps(item.to_json()) for item in rows)]
    return zlib.compress(b"\n".join(lines), 6)


def write_columns(chunks: Iterable[bytes], to: ColumnsWriter) -> None:
    """Packed chunks, in order, as columns. Raises RecordError for rubbish."""
    values: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for number, chunk in enumerate(chunks):
        head, lines = _parsed(chunk, number)
        for line in lines:
            to.text("json", line)
        for item_id in head["ids"]:
            to.text("ids", item_id.encode("utf-8", "surrogatepass"))
        for tags in head.get("tags") or [()] * len(lines):
            to.text("tags", orjson.dumps(tags) if tags else b"")
        for name, (_, missing) in _COLUMNS.items():
            values[name] += head.get(name) or [missing] * len(lines)
    for name, (kind, _) in _COLUMNS.items():
        column = values.pop(name)
        to.numbers(
            name, kind, [NONE if x is None else x for x in column] if kind == "d" else column
        )


def write_index(to: ColumnsWriter, ids: Iterable[bytes]) -> None:
    """The way from an id to its number: hashes, sorted, and whose they are."""
    pairs = sorted((_hash(each), number) for number, each in enumerate(ids))
    to.numbers("hashes", "Q", [found for found, _ in pairs])
    to.numbers("numbers", "I", [number for _, number in pairs])


def _parsed(chunk: bytes, number: int) -> tuple[dict[str, Any], list[bytes]]:
    try:
        head_line, *lines = zlib.decompress(chunk).split(b"\n")
        head = orjson.loads(head_line)
        shown = [orjson.loads(line) for line in lines]
        head["price"] = [item["price"] for item in shown]
        head.setdefault("ids", [item["id"] for item in shown])
        if len(lines) > CHUNK or any(len(column) != len(lines) for column in head.values()):
            raise ValueError(f"{len(lines)} items, columns of other lengths")
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RecordError(f"chunk {number} of the items: {problem}") from None
    return head, lines


class Catalogue:
    """Items by number (position over all chunks) and by id; what is live lies over them."""

    def __init__(self, columns: Columns, live: Mapping[int, LiveItem] | None = None) -> None:
        """Raises RecordError if ``columns`` lacks one."""
        self._columns = columns
        self._json = columns.texts("json")
        self._ids = columns.texts("ids")
        self._tags = columns.texts("tags")
        self._hashes = columns.numbers("hashes")
        self._numbers = columns.numbers("numbers")
        self._sellable = columns.numbers("sellable")
        self._price = columns.numbers("price")
        self._stock = columns.numbers("stock")
        self.margin = columns.numbers("margin")  # NaN: not known
        self.brand = columns.numbers("brand")  # index into the layout's names, or -1
        self.category = columns.numbers("category")
        self.repeat_days = columns.numbers("repeat_days")
        self.new_since = columns.numbers("new_since")
        self.price_before = columns.numbers("price_before")  # NaN: none
        self.back_since = columns.numbers("back_since")
        self.sold = columns.numbers("sold")
        self.live = live or {}
        self._patched = {number: self._patch(number, each) for number, each in self.live.items()}

    def with_live(self, live: Mapping[int, LiveItem]) -> Catalogue:
        """The same items under other live changes."""
        return Catalogue(self._columns, live)

    def __len__(self) -> int:
        return len(self._sellable)

    def number(self, item_id: str) -> int | None:
        text = item_id.encode("utf-8", "surrogatepass")
        wanted = _hash(text)
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            number: int = self._numbers[at]
            if self._ids[number] == text:
                return number
            at += 1
        return None

    def id(self, number: int) -> str:
        """Raises RecordError if there is no such number."""
        return self._text(self._ids, number).decode("utf-8", "surrogatepass")

    def json(self, number: int) -> bytes:
        """The item as content answers show it, as JSON text. Raises RecordError if there is no
        such number."""
        return self._patched.get(number) or self._text(self._json, number)

    def jsons(self, numbers: Iterable[int]) -> list[bytes]:
        """json() of each, without the last brace. Raises RecordError."""
        if self._patched:
            return [self.json(number)[:-1] for number in numbers]
        raw, base, starts = self._json.raw, self._json.base, self._json.starts
        try:
            return [raw[base + starts[n] : base + starts[n + 1] - 1] for n in numbers]
        except IndexError:
            raise RecordError(f"an item number beyond {len(self)}") from None

    def sellable(self, number: int) -> bool:
        """Raises IndexError if there is no such number."""
        if self.live and number in self.live:
            changed = self.live[number]
            if changed.stock is not None and changed.stock <= 0:
                return False
            if changed.sellable is not None:
                return changed.sellable
            # in stock again, if that is why it could not be sold
            if changed.stock is not None and self._stock[number] == 0:
                return True
        return bool(self._sellable[number])

    def back_s(self, number: int) -> float | None:
        """When it was said that an item that could not be sold is there again, in seconds since
        1970; None where the night knows best."""
        changed = self.live.get(number)
        if changed is None or not (changed.was_out or not self._sellable[number]):
            return None
        return changed.at_s if changed.back_s is None else changed.back_s

    def all_sellable(self, numbers: Iterable[int]) -> bool:
        """Whether each of these is. Raises IndexError if there is no such number."""
        if self.live:
            return all(map(self.sellable, numbers))
        flags = self._sellable
        return all([flags[number] for number in numbers])  # noqa: C419 - a generator is slower

    def price(self, number: int) -> float | None:
        changed = self.live.get(number)
        if changed is not None and changed.price is not None:
            return changed.price
        return _known(self._price[number])

    def price_at_night(self, number: int) -> float | None:
        """Without what is live."""
        return _known(self._price[number])

    def stock(self, number: int) -> int | None:
        """Pieces, None: not tracked."""
        changed = self.live.get(number)
        found: int = self._stock[number]
        if changed is not None:
            if changed.stock is not None:
                return changed.stock
            if changed.sellable and found == 0:
                return None  # on sale again, without a word of how many
        return None if found == UNKNOWN else found

    def tags(self, number: int) -> tuple[str, ...]:
        raw = self._text(self._tags, number)
        return tuple(orjson.loads(raw)) if raw else ()

    def item(self, number: int) -> Item:
        """Raises RecordError if there is no such number."""
        shown = orjson.loads(self.json(number)).values()  # in the order of Item's fields
        return Item._make(
            (
                *shown,
                _known(self.margin[number]),
                self.sellable(number),
                self.stock(number),
                self.tags(number),
                self.repeat_days[number],
                self.new_since[number],
                _known(self.price_before[number]),
                self.back_since[number],
                self.sold[number],
            )
        )

    def get(self, item_id: str) -> Item | None:
        number = self.number(item_id)
        return None if number is None else self.item(number)

    def ids(self) -> Iterator[bytes]:
        return iter(self._ids)

    def _patch(self, number: int, changed: LiveItem) -> bytes:
        text = self._text(self._json, number)
        if changed.price is None:
            return text
        return orjson.dumps(orjson.loads(text) | {"price": changed.price})

    def _text(self, texts: Any, number: int) -> bytes:
        try:
            found: bytes = texts[number]
        except IndexError:
            raise RecordError(f"item number {number} of {len(self)}") from None
        return found


def _known(value: float) -> float | None:
    return None if value != value else value  # NaN stands for none


def _hash(item_id: bytes) -> int:
    return int.from_bytes(blake2b(item_id, digest_size=8).digest(), "little")
