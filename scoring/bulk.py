"""Scores in bulk: every customer for a file of targets, a list of items for a file of customers.

What is asked comes from text files (one entry a line), CSV or JSON; what is answered comes in
tables of bounded size, one after the other, so that any number of pairs can be written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring import bought, ranking, replenishment
from scoring import columns as c
from scoring.diversity import Variety
from scoring.fitted import ANY, Fitted
from scoring.history import LEVELS, History
from scoring.models import Ints
from scoring.progress import Progress

AT_ONCE = 262_144  # pairs of a table, which is a row group of the file
SHOWN = 10  # wrong lines named in one message
_FORMS = ", ".join(f"{level}:NAME" for level in LEVELS)

PROBABILITIES = pa.schema(
    [(c.CUSTOMER_ID, pa.string()), ("target", pa.string()), (c.PROBABILITY, pa.float32())]
)
RECOMMENDATIONS = pa.schema(
    [
        (c.CUSTOMER_ID, pa.string()),
        (c.RANK, pa.int32()),
        (c.ITEM_ID, pa.string()),
        ("score", pa.float32()),
    ]
)


class BulkError(Exception):
    """The file asks for what cannot be answered; the text says where and what to do."""


@dataclass(frozen=True)
class Asked:
    """One target: its level, its number there, and how the answer names it."""

    level: str
    number: int
    label: str


@dataclass(frozen=True)
class AskedCustomers:
    """``row``: int32[n], known customers in the order of the file, each once; ``unknown``: (line,
    id as it stands there) of those whom the model does not know."""

    row: Ints
    unknown: Sequence[tuple[int, str]]


def known_customers(history: History, fitted: Fitted) -> Ints:
    """int32[n]: everyone with an event before the model's cut-off, but those who were erased."""
    known = history.known_customers(fitted.cutoff) & (history.customers != "")
    return np.flatnonzero(known).astype(np.int32)


def read_targets(path: Path, history: History) -> list[Asked]:
    """Targets in the order of the file, each once. Raises BulkError naming every wrong line.

    A text file has one a line: ``item:ID``, ``brand:NAME``, ``category:NAME``, or ``any`` for a
    purchase of anything. CSV (``.csv``, with a header) and JSON (``.json``, a list of objects)
    have ``level`` and ``name``.
    """
    found: dict[tuple[str, int], Asked] = {}
    wrong: list[str] = []
    for line, entry in _entries(path, ("level", "name")):
        if isinstance(entry, str):
            level, _, name = (part.strip() for part in entry.partition(":"))
        else:
            level, name = (_text(entry, key) for key in ("level", "name"))
        number = _number(history, level, name)
        if isinstance(number, str):
            wrong.append(f"line {line}: {number}")
        else:
            label = level if level == ANY else f"{level}:{name}"
            found.setdefault((level, number), Asked(level, number, label))
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise BulkError(
            f"{path}, {'; '.join(wrong[:SHOWN])}{more}. Expected is {_FORMS} or {ANY}, names as "
            "the items source writes them"
        )
    if not found:
        raise BulkError(f"{path} names no target: write one a line, such as category:CHEESE")
    return list(found.values())


def read_customers(path: Path, history: History, fitted: Fitted) -> AskedCustomers:
    """Customers in the order of the file. Raises BulkError when it names nobody who is known.

    A text file has one id a line, CSV a column ``customer_id``, JSON a list of ids or of objects
    with ``customer_id``.
    """
    known = known_customers(history, fitted)
    # the ids of those who were erased are blank: the others are no longer in order
    place = dict(zip(history.customers[known].tolist(), known.tolist(), strict=True))
    rows: dict[int, None] = {}
    unknown: list[tuple[int, str]] = []
    for line, entry in _entries(path, (c.CUSTOMER_ID,)):
        name = entry if isinstance(entry, str) else _text(entry, c.CUSTOMER_ID)
        if name in place:
            rows[place[name]] = None
        else:
            unknown.append((line, name))
    if not rows:
        names = f" (line {unknown[0][0]}: {unknown[0][1]!r})" if unknown else ""
        raise BulkError(
            f"{path} names no customer that the model knows{names}: write ids as the sources do"
        )
    return AskedCustomers(np.array(list(rows), dtype=np.int32), unknown)


def probabilities(
    history: History, fitted: Fitted, targets: Sequence[Asked], progress: Progress
) -> Iterator[pa.Table]:
    """PROBABILITIES of every known customer for every target, customer by customer."""
    customers = known_customers(history, fitted)
    labels = pa.array([target.label for target in targets], pa.string())
    block = max(AT_ONCE // len(targets), 1)
    for begin in range(0, len(customers), block):
        part = customers[begin : begin + block]
        found = np.empty((len(part), len(targets)), dtype=np.float32)
        for level in dict.fromkeys(target.level for target in targets):
            column = [at for at, target in enumerate(targets) if target.level == level]
            number: Ints = np.array([targets[at].number for at in column], dtype=np.int32)
            pairs = np.repeat(part, len(number)), np.tile(number, len(part))
            found[:, column] = fitted.probability(level, *pairs).reshape(-1, len(number))
        who = _names(history.customers[part])
        yield pa.table(
            [
                who.take(pa.array(np.repeat(np.arange(len(part)), len(targets)))),
                labels.take(pa.array(np.tile(np.arange(len(targets)), len(part)))),
                pa.array(found.ravel()),
            ],
            schema=PROBABILITIES,
        )
        progress("score", min(begin + block, len(customers)), len(customers))


@dataclass(frozen=True)
class Wish:
    """What a list of recommendations is to be like."""

    limit: int
    new_only: bool = False
    exclude_bought_days: int = 0
    until_due: bool = False  # what was bought is out until it is usually bought again


def recommendations(
    history: History,
    fitted: Fitted,
    customers: Ints,
    wish: Wish,
    variety: Variety,
    progress: Progress,
) -> Iterator[pa.Table]:
    """RECOMMENDATIONS of the customers, ordered by their numbers and best first.

    Items that can be bought and were not bought lately; a customer without any has no row.
    """
    customer, item = ranking.recommendable(
        history, fitted, customers=customers, exclude_bought_days=wish.exclude_bought_days
    )
    if wish.until_due:
        typical = replenishment.repeat_days(history, fitted.cutoff)
        out = bought.out(history, fitted.cutoff, typical, wish.exclude_bought_days)
        shown = ~out.holds(customer, item)
        customer, item = customer[shown], item[shown]
    first = np.searchsorted(customer, np.arange(history.n_customers + 1))
    everyone = np.sort(customers)
    done = 0
    while done < len(everyone):
        # as many customers as fill a table with their candidates
        full = np.searchsorted(first[everyone + 1], first[everyone[done]] + AT_ONCE, side="right")
        upto = max(int(full), done + 1)
        part = slice(first[everyone[done]], first[everyone[upto - 1] + 1])
        who, what = customer[part], item[part]
        if wish.new_only:
            new = ranking.never_bought(history, fitted.cutoff, who, what)
            who, what = who[new], what[new]
        score = fitted.preference(who, what)
        ranked = variety.best(who, what, score, history.n_customers, wish.limit)
        yield _listed(history, ranked)
        done = upto
        progress("recommend", done, len(everyone))


def _listed(history: History, ranked: ranking.Ranked) -> pa.Table:
    """The lists of a few customers as RECOMMENDATIONS."""
    count = np.diff(ranked.start)
    who = np.flatnonzero(count)
    row = np.repeat(np.arange(len(who)), count[who])
    place = np.arange(len(ranked.target)) - np.repeat(ranked.start[who], count[who]) + 1
    return pa.table(
        [
            _names(history.customers[who]).take(pa.array(row)),
            pa.array(place.astype(np.int32)),
            _names(history.catalogue.names["item"][ranked.target]),
            pa.array(ranked.probability),
        ],
        schema=RECOMMENDATIONS,
    )


def _number(history: History, level: str, name: str) -> int | str:
    """The target's number, or what is wrong with it."""
    if level == ANY and not name:
        return 0
    if level not in LEVELS or not name:
        given = f"{level}:{name}" if name else level
        return f"found {given!r}"
    at = history.catalogue.find(level, name)
    return f"{level} {name!r} is not in the catalogue" if at is None else at


def _names(values: NDArray[np.str_]) -> pa.Array:
    return pa.array(values.tolist(), pa.string())


def _entries(path: Path, keys: Sequence[str]) -> Iterator[tuple[int, str | dict[str, Any]]]:
    """(line, entry) of what is not empty; in a JSON list the entry's number from 1.

    Raises BulkError for a file that is not what its ending says.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BulkError(f"{path} is not UTF-8 text (byte {error.start}): save it as such") from None
    if path.suffix.lower() == ".csv":
        yield from _csv_entries(path, text, keys)
    elif path.suffix.lower() == ".json":
        yield from _json_entries(path, text, keys)
    else:
        # not splitlines: a name may hold other characters that it takes for ends of lines
        for line, entry in enumerate(io.StringIO(text, newline=None), start=1):
            if entry.strip():
                yield line, entry.strip()


def _text(entry: dict[str, Any], key: str) -> str:
    """What an object or row has there; nothing if it has none."""
    value = entry.get(key)
    return "" if value is None else str(value).strip()


def _csv_entries(
    path: Path, text: str, keys: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        header = reader.fieldnames or []
        if missing := [key for key in keys if key not in header]:
            found = ", ".join(header) or "none"
            raise BulkError(f"{path}, line 1: no column {', '.join(missing)}; found {found}")
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise BulkError(f"{path}, line {reader.line_num + 1}: {error}") from None


def _json_entries(
    path: Path, text: str, keys: Sequence[str]
) -> Iterator[tuple[int, str | dict[str, Any]]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BulkError(f"{path} is not JSON: {error}") from None
    wanted = f"objects with {' and '.join(keys)}"
    if not isinstance(document, list):
        raise BulkError(f"{path} is not a JSON list: expected one of {wanted}, or of texts")
    for number, entry in enumerate(document, start=1):
        if len(keys) == 1 and isinstance(entry, int) and not isinstance(entry, bool):
            yield number, str(entry)  # an id that is a number
        elif isinstance(entry, str | dict):
            yield number, entry.strip() if isinstance(entry, str) else entry
        else:
            raise BulkError(f"{path}, entry {number}: found {entry!r}, expected {wanted}, or texts")
