"""Which decisions of each process are in the lake, and which are lost.

A process numbers its decisions from 0. What came is kept as ranges of numbers, so that counting a
block twice changes nothing. A number that is missing is late at first: its block may wait in a
process that could not reach the store, or with a worker that died. It is lost when the process has
ended or gone on with later numbers, and GRACE_S have passed since. No numpy: /metrics reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

FILE = "decisions.json"  # in the lake's folder
VERSION = 1
GRACE_S = 60.0  # a worker's blocks are taken over by another after half of it
FOLD_AFTER_S = 7 * 86_400.0


class LedgerError(Exception):
    """The ledger cannot be read; the text says what to do."""


class Counts(NamedTuple):
    """``logged``: those that came (erased ones too); ``late``: missing, may still come; ``lost``:
    will not come; ``processes``: those that may go on."""

    logged: int
    late: int
    lost: int
    processes: int


@dataclass
class _Account:
    """Of one process. ``ranges``: [first, end, since when (Unix time)], rising and apart."""

    ranges: list[list[float]] = field(default_factory=list)
    ended: int | None = None  # how many it numbered in all
    ended_at_s: float = 0.0

    def add(self, first: int, end: int, at_s: float) -> None:
        apart = [r for r in self.ranges if r[1] < first or r[0] > end]
        joined = [r for r in self.ranges if r[1] >= first and r[0] <= end]
        whole = [
            min([first, *(r[0] for r in joined)]),
            max([end, *(r[1] for r in joined)]),
            min([at_s, *(r[2] for r in joined)]),
        ]
        self.ranges = sorted([*apart, whole])

    def logged(self) -> int:
        return int(sum(end - first for first, end, _ in self.ranges))

    def gaps(self) -> Iterator[tuple[int, float]]:
        """(how many numbers, since when they are seen to be missing)."""
        for (_, end, _), (first, _, since_s) in pairwise([[0, 0, 0.0], *self.ranges]):
            if first > end:
                yield int(first - end), since_s
        last = self.ranges[-1][1] if self.ranges else 0
        if self.ended is not None and self.ended > last:
            yield int(self.ended - last), self.ended_at_s


@dataclass
class Ledger:
    """The accounts of a workspace; ``logged`` and ``lost`` are those of processes long ended."""

    accounts: dict[str, _Account] = field(default_factory=dict)
    logged: int = 0
    lost: int = 0

    def missing(self, process: str, first: int, end: int) -> list[tuple[int, int]]:
        """The parts of first … end - 1 that never came."""
        account = self.accounts.get(process)
        parts, at = [], first
        for known_first, known_end, _ in account.ranges if account else ():
            if known_first > at:
                parts.append((at, min(int(known_first), end)))
            at = max(at, int(known_end))
            if at >= end:
                break
        parts.append((at, end))
        return [(a, b) for a, b in parts if a < b]

    def add(self, process: str, first: int, end: int, *, ended: bool, at_s: float) -> None:
        """Numbers first … end - 1 are in the lake; ``ended``: there are none after them."""
        account = self.accounts.setdefault(process, _Account())
        if end > first:
            account.add(first, end, at_s)
        if ended and account.ended is None:
            account.ended, account.ended_at_s = end, at_s

    def counts(self, at_s: float) -> Counts:
        gaps = [gap for account in self.accounts.values() for gap in account.gaps()]
        lost = sum(size for size, since_s in gaps if at_s - since_s >= GRACE_S)
        return Counts(
            logged=self.logged + sum(each.logged() for each in self.accounts.values()),
            late=sum(size for size, _ in gaps) - lost,
            lost=self.lost + lost,
            processes=sum(each.ended is None for each in self.accounts.values()),
        )

    def fold(self, at_s: float) -> None:
        """Keeps only the sums of processes that ended long ago."""
        for process, account in list(self.accounts.items()):
            if account.ended is not None and at_s - account.ended_at_s >= FOLD_AFTER_S:
                self.logged += account.logged()
                self.lost += sum(size for size, _ in account.gaps())
                del self.accounts[process]

    def save(self, lake: Path) -> None:
        """Atomically."""
        draft = lake / f".{FILE}.part"
        draft.write_text(json.dumps({"version": VERSION, **asdict(self)}))
        draft.replace(lake / FILE)


def read(lake: Path) -> Ledger:
    """The ledger in the lake's folder, an empty one where there is none. Raises LedgerError."""
    try:
        document: dict[str, Any] = json.loads((lake / FILE).read_text())
        accounts = {name: _Account(**each) for name, each in document["accounts"].items()}
        return Ledger(accounts, int(document["logged"]), int(document["lost"]))
    except FileNotFoundError:
        return Ledger()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise LedgerError(
            f"{lake / FILE}: not a ledger of decisions ({problem}): restore it from a backup; "
            "without it decisions still reach the lake once, but losses are counted wrongly"
        ) from problem
