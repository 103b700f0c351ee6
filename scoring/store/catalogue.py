"""The published items, held in process: one bytes object a chunk, an item parsed when asked for.

A chunk in Redis is zlib-compressed text: a line of JSON with margins and sellable flags, then a
line of JSON an item, which is the item as content answers show it. A hundred thousand items so
take some 40 MB in a worker.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from scoring.store.errors import RecordError

CHUNK = 1000  # items
_NO_MARGIN = float("nan")


class Item(NamedTuple):
    """One published item; price and margin in the workspace's currency."""

    id: str
    name: str | None
    brand: str | None
    category: str | None
    price: float | None
    image_url: str | None
    url: str | None
    margin: float | None = None
    sellable: bool = True

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


def pack_chunk(items: Iterable[Item]) -> bytes:
    """At most CHUNK items as Redis keeps them."""
    rows = list(items)
    head = {"margin": [item.margin for item in rows], "sellable": [item.sellable for item in rows]}
    lines = [orjson.dumps(head), *(orjson.dumps(item.to_json()) for item in rows)]
    return zlib.compress(b"\n".join(lines), 6)


class Catalogue:
    """Items by number (position over all chunks) and by id."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        """From packed chunks in order. Raises RecordError for rubbish."""
        self._texts: list[bytes] = []
        self._starts: list[array[int]] = []
        self._margins: array[float] = array("d")
        self._sellable = bytearray()
        self._numbers: dict[str, int] = {}
        for chunk in chunks:
            self._add(chunk)

    def _add(self, chunk: bytes) -> None:
        try:
            text = zlib.decompress(chunk)
            head, *lines = text.split(b"\n")
            columns = orjson.loads(head)
            margins, sellable = columns["margin"], columns["sellable"]
            if not len(lines) == len(margins) == len(sellable) <= CHUNK:
                raise ValueError(f"{len(lines)} items, {len(margins)} margins")
            ids = [orjson.loads(line)["id"] for line in lines]
        except (zlib.error, ValueError, KeyError, TypeError) as problem:
            raise RecordError(f"chunk {len(self._texts)} of the items: {problem}") from None
        first = len(self._texts) * CHUNK
        self._numbers.update(zip(ids, range(first, first + len(ids)), strict=True))
        self._margins.extend(_NO_MARGIN if margin is None else margin for margin in margins)
        self._sellable.extend(bool(flag) for flag in sellable)
        starts = array("I", [len(head) + 1])
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        self._texts.append(text)
        self._starts.append(starts)

    def __len__(self) -> int:
        return len(self._sellable)

    def number(self, item_id: str) -> int | None:
        return self._numbers.get(item_id)

    def sellable(self, number: int) -> bool:
        return bool(self._sellable[number])

    def json(self, number: int) -> bytes:
        """The item as content answers show it, as JSON text. Raises RecordError if there is no
        such number."""
        chunk, row = divmod(number, CHUNK)
        try:
            starts = self._starts[chunk]
            return self._texts[chunk][starts[row] : starts[row + 1] - 1]
        except IndexError:
            raise RecordError(f"item number {number} of {len(self)}") from None

    def item(self, number: int) -> Item:
        """Raises RecordError if there is no such number."""
        shown = orjson.loads(self.json(number)).values()  # in the order of Item's fields
        margin = self._margins[number]
        known_margin = None if margin != margin else margin  # NaN stands for none
        return Item._make((*shown, known_margin, bool(self._sellable[number])))

    def get(self, item_id: str) -> Item | None:
        number = self._numbers.get(item_id)
        return None if number is None else self.item(number)
