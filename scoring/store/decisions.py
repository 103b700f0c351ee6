"""Decisions on their way to the lake: blocks on a stream, each with its place in a process's count.

Every web process numbers its decisions from 0. A block holds consecutive ones, so that whoever
reads the stream knows a decision that comes twice and sees which never came. No numpy here: web
workers make the blocks.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any, NamedTuple, Protocol

import orjson
import zstandard

from scoring.store.errors import RecordError
from scoring.store.keys import Keys

FORMAT = 1
LEVEL = 1  # of zstd: a block is made while somebody waits, and this is six times as fast as zlib
_MOST_BYTES = 64 * 1024 * 1024  # unpacked: more is no block of ours
# What Redis keeps while no worker drains: over a million decisions, some 120 bytes each.
MOST_BLOCKS = 5_000
FIELD = b"b"


class ItemIds(Protocol):
    """What knows an item's id by its number: a Catalogue."""

    def id(self, number: int) -> str: ...


class Published(Protocol):
    """What a decision chose from: a PublishedSnapshot."""

    @property
    def catalogue(self) -> ItemIds: ...


class Decision(NamedTuple):
    """One answer of a content call, as it is learned from later.

    ``decision_id`` (32 hex digits) is the same for the same call asked again; ``at_s`` is Unix time
    by the workspace's clock; ``customer`` is the 12-byte hash, empty for nobody; ``numbers`` are
    the shown items in their order, by their number in ``published`` or, without one, by id;
    ``scores`` are theirs.
    """

    decision_id: str
    at_s: float
    kind: str
    campaign: str
    channel: str
    customer: bytes
    snapshot: str
    policy: str
    arm: str
    reason: str | None
    send: bool
    send_reason: str | None
    numbers: Sequence[int] | Sequence[str]
    scores: Sequence[float]
    published: Published | None


_TEXTS = (
    "decision_id", "kind", "campaign", "channel", "snapshot", "policy", "arm", "reason", "send",
    "send_reason",
)  # fmt: skip
# as they stand in a block, each a list with an entry a decision
COLUMNS = (*_TEXTS, "at_us", "customer", "items", "scores")


class Block(NamedTuple):
    """Decisions ``first`` … ``first + size - 1`` of a process, a column each of COLUMNS: ``at_us``
    in microseconds, ``customer`` in hex, ``items`` as ids. ``ended``: the process numbered none
    after them."""

    process: str
    first: int
    size: int
    ended: bool
    columns: dict[str, list[Any]]


def pack_block(
    process: str, first: int, decisions: Sequence[Decision], *, ended: bool = False
) -> bytes:
    """A line of JSON and the scores (float32), compressed. Raises RecordError, IndexError or
    OverflowError when a decision holds what cannot be written."""
    columns = list(zip(*decisions, strict=True)) or [()] * len(Decision._fields)
    rows = dict(zip(Decision._fields, columns, strict=True))
    scores = rows["scores"]
    head = {
        "format": FORMAT,
        "process": process,
        "first": first,
        "size": len(decisions),
        "ended": ended,
        **{name: rows[name] for name in _TEXTS},
        "at_us": [int(at_s * 1e6) for at_s in rows["at_s"]],
        "customer": [customer.hex() for customer in rows["customer"]],
        "items": _items(decisions),
        "scores": [len(each) for each in scores],
    }
    try:
        line = orjson.dumps(head)
    except TypeError:
        line = orjson.dumps(_writable(head))
    numbers = array("f", chain.from_iterable(scores)).tobytes()
    return zstandard.compress(line + b"\n" + numbers, LEVEL)


def unpack_block(raw: bytes) -> Block:
    """Raises RecordError for anything that is not a whole block of this format."""
    try:
        if zstandard.frame_content_size(raw) > _MOST_BYTES:
            raise ValueError("it is too large")
        line, _, numbers = zstandard.decompress(raw).partition(b"\n")
        head = orjson.loads(line)
        if head["format"] != FORMAT:
            raise ValueError(f"format {head['format']!r}, expected {FORMAT}")
        size, columns = head["size"], {name: head[name] for name in COLUMNS}
        scores = array("f", numbers).tolist()
        ends = list(accumulate(columns["scores"], initial=0))
        columns["scores"] = [scores[ends[at] : ends[at + 1]] for at in range(len(ends) - 1)]
        whole = ends[-1] == len(scores) and {len(each) for each in columns.values()} == {size}
        if not whole or not isinstance(head["process"], str) or head["first"] < 0:
            raise ValueError("its columns do not fit each other")
        return Block(head["process"], head["first"], size, bool(head["ended"]), columns)
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, IndexError) as problem:
        raise RecordError(f"a block of decisions: {problem}") from None


def command(keys: Keys, block: bytes) -> tuple[bytes, ...]:
    """The XADD that puts a block on the workspace's stream; the oldest go when nobody drains."""
    most = str(MOST_BLOCKS).encode()
    return (b"XADD", keys.decisions.encode(), b"MAXLEN", b"~", most, b"*", FIELD, block)


def _items(decisions: Sequence[Decision]) -> list[Sequence[str]]:
    """The ids of each decision's items; many share some, and a look-up costs more than a dict's."""
    known: dict[int, dict[Any, str]] = {}
    found: list[Sequence[str]] = []
    for decision in decisions:
        published = decision.published
        if published is None:
            found.append(list(map(str, decision.numbers)))
            continue
        ids = known.setdefault(id(published), {})
        for number in decision.numbers:
            if number not in ids:
                ids[number] = published.catalogue.id(int(number))
        found.append([ids[number] for number in decision.numbers])
    return found


def _writable(value: Any) -> Any:
    """With half a character that a caller or a file brought (no UTF-8 has it) as its escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value
