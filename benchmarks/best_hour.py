"""Is a customer really there in their best hour? Sessions after a cut-off that lie within the best
hour or one beside it, against the shop's busiest hour and the customer's own busiest, unsmoothed.

    python -m benchmarks.best_hour --data FOLDER [--choose]

A session is a customer, a day and an hour with an event (scoring.sessions), counted as the night
counts; of customers with sessions on both sides of the cut-off. No quiet hours, so that all rules
have the same 24 hours. ``share``: of a customer's later sessions, mean over customers; in brackets
the 95 % interval of the difference of ``rightsend`` to the rule, customers drawn with replacement.
``few`` are customers with at most three sessions before. The e-mail opens have weekdays and no
dates: Sunday to Wednesday stand for before, Thursday to Saturday for after, all as if of one week.
``--choose`` compares strengths on an earlier cut-off, and what came until the judged one; nothing
is chosen on what is judged. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.tasks import taobao
from benchmarks.tasks.completejourney import grocery
from benchmarks.tasks.data import Data, add_option
from scoring import best_hour, canonical
from scoring import columns as c
from scoring.best_hour import HOURS, UNKNOWN, Counts, Hours, Smoothing
from scoring.identity import Identity, resolve
from scoring.lake import Lake
from scoring.sessions import sessions
from settings.workspace import WorkspaceSettings

OPENS = "dito_email_opens/opens_by_weekday.parquet"
SUNDAY = datetime(2020, 3, 1, 3, tzinfo=UTC)  # midnight in São Paulo; any week would do
FEW = 3
DRAWS = 1000
RIGHTSEND, SHOP, OWN = "rightsend", "the shop's busiest hour", "the customer's own busiest hour"
HALF_LIVES = (7.0, 14.0, 30.0, 60.0, 1e9)
PRIORS = (0.3, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
CONCENTRATIONS = (None, 2.0, 4.0, 6.0, 8.0, 12.0, 20.0)
TAOBAO_TYPE = {"pv": c.VIEW, "cart": c.CART, "fav": c.INTEREST, "buy": c.PURCHASE}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    """``validation``, ``cutoff``, ``end``: what is chosen is chosen by sessions between the first
    two, and judged by those between the last two."""

    lake: Lake
    identity: Identity
    workspace: WorkspaceSettings
    validation: datetime
    cutoff: datetime
    end: datetime


@dataclass(frozen=True)
class Split:
    """uint16 and int64[n_customers, 24]: before in UNITs, and sessions after."""

    before: Counts
    after: NDArray[np.int64]

    @classmethod
    def of(cls, shop: Shop, cutoff: datetime, end: datetime, half_life_days: float) -> Split:
        before = best_hour.counts(
            shop.lake, shop.identity, shop.workspace, cutoff, half_life_days=half_life_days
        )
        return cls(before, _sessions(shop, cutoff, end))


def _sessions(shop: Shop, start: datetime, end: datetime) -> NDArray[np.int64]:
    events = shop.lake.events(before=end, since=start)
    rows = sessions(events, shop.identity, shop.workspace, (start, end)).to_pyarrow()
    table = np.zeros((len(shop.identity.customers), HOURS), dtype=np.int64)
    np.add.at(table, (rows["customer"].to_numpy(), rows["hour"].to_numpy()), 1)
    return table


def rules(before: Counts, smoothing: Smoothing) -> dict[str, Hours]:
    everything = np.ones(HOURS, dtype=bool)
    shop = int(before.sum(axis=0, dtype=np.int64).argmax())
    return {
        RIGHTSEND: best_hour.best(before, everything, smoothing),
        SHOP: np.full(len(before), shop, dtype=np.int8),
        OWN: before.argmax(axis=1).astype(np.int8),
    }


def shares(hours: Hours, after: NDArray[np.int64]) -> Floats:
    """float64[n]: of each customer's sessions those within an hour of ``hours``; 23 and 0 are
    neighbours."""
    near = (hours[:, None].astype(np.int64) + np.array([-1, 0, 1])) % HOURS
    return np.take_along_axis(after, near, axis=1).sum(axis=1) / after.sum(axis=1)


def interval(difference: Floats) -> tuple[float, float]:
    """95 %, of the mean over customers."""
    random = np.random.default_rng(1)
    means = [random.choice(difference, len(difference)).mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def judged(shop: Shop) -> dict[str, dict[str, float]]:
    """Prints and returns what each rule reaches."""
    split = Split.of(shop, shop.cutoff, shop.end, best_hour.HALF_LIFE_DAYS)
    first = shop.cutoff - timedelta(days=best_hour.WINDOW_DAYS)
    seen = _sessions(shop, first, shop.cutoff).sum(axis=1)
    hours = rules(split.before, best_hour.SMOOTHING)
    both = (hours[RIGHTSEND] != UNKNOWN) & split.after.any(axis=1)
    out: dict[str, dict[str, float]] = {}
    for name, part in (("all", both), ("few", both & (seen <= FEW))):
        if not part.any():
            continue
        reached = {rule: shares(each[part], split.after[part]) for rule, each in hours.items()}
        print(f"{name}: {part.sum()} customers, {split.after[part].sum()} sessions after")
        for rule, share in reached.items():
            low, high = interval(reached[RIGHTSEND] - share)
            print(f"  {rule:34}{share.mean():.4f}  ({low:+.4f} … {high:+.4f})")
            out[f"{name}: {rule}"] = {"share": round(float(share.mean()), 4)}
    return out


def compare(shop: Shop) -> None:
    """The validation's share by half-life, strength of the prior and kernel."""
    for half_life in HALF_LIVES:
        split = Split.of(shop, shop.validation, shop.cutoff, half_life)
        both = split.before.any(axis=1) & split.after.any(axis=1)
        rows = {
            smoothing: shares(rules(split.before, smoothing)[RIGHTSEND][both], split.after[both])
            for smoothing in (Smoothing(*each) for each in product(PRIORS, CONCENTRATIONS))
        }
        print(f"\nhalf-life {half_life:g} days, {both.sum()} customers; kappa across, prior down")
        print(" " * 8 + "".join(f"{kappa!s:>8}" for kappa in CONCENTRATIONS))
        for prior in PRIORS:
            line = [rows[Smoothing(prior, kappa)].mean() for kappa in CONCENTRATIONS]
            print(f"{prior:8g}" + "".join(f"{each:8.4f}" for each in line))


def completejourney(data: Data) -> Shop:
    """Receipts of a grocery chain: four weeks, chosen by the four before."""
    lake, people, workspace = grocery(data)
    cutoff = datetime(2017, 11, 20, 5, tzinfo=UTC)
    weeks = timedelta(weeks=4)
    return Shop(lake, people, workspace, cutoff - weeks, cutoff, cutoff + weeks)


def taobao_clicks(data: Data) -> Shop:
    """Views, carts, favourites and purchases: the last two days, chosen by the two before."""
    with gzip.open(data.file(taobao.FILE), "rt") as file:
        lines = [line.split(",") for line in file.read().splitlines()]
    rows = [
        (row[0], datetime.fromtimestamp(int(row[4]), UTC), TAOBAO_TYPE[row[3]])
        for row in lines
        if len(row) == 5 and row[4].isdigit() and taobao.FIRST <= int(row[4]) < taobao.END
    ]
    end = datetime.fromtimestamp(taobao.END, UTC)
    days = timedelta(days=2)
    return _made(data, "taobao", "Asia/Shanghai", rows, (end - 2 * days, end - days, end))


def email_opens(data: Data) -> Shop:
    """Opens of e-mails by weekday: Thursday to Saturday; chosen by Wednesday."""
    opens = pq.read_table(data.file(OPENS))
    opens = opens.filter(pc.field("in_day"))
    columns = (opens[name].to_pylist() for name in ("recipient_id", "weekday_num", "hour_gmt"))
    midnight = SUNDAY - timedelta(hours=3)
    rows = [
        (who, midnight + timedelta(days=day - 1, hours=hour), c.OPEN)
        for who, day, hour in zip(*columns, strict=True)
    ]
    wednesday, thursday, end = (SUNDAY + timedelta(days=days) for days in (3, 4, 7))
    return _made(data, "opens", "America/Sao_Paulo", rows, (wednesday, thursday, end))


def _made(
    data: Data,
    name: str,
    zone: str,
    rows: Sequence[tuple[str, datetime, str]],
    moments: tuple[datetime, datetime, datetime],
) -> Shop:
    """A lake of (customer, time, event type)."""
    lake = Lake(data.cache / name)
    lake.append_events(pa.Table.from_pylist(list(_events(rows)), _SCHEMA), batch=name)
    people = resolve(lake.events(before=moments[-1]), lake.customers())
    return Shop(lake, people, WorkspaceSettings(name, Path(), (), timezone=zone), *moments)


_SCHEMA = canonical.schema(canonical.EVENTS)


def _events(rows: Sequence[tuple[str, datetime, str]]) -> Iterator[dict[str, object]]:
    for number, (who, at, event_type) in enumerate(rows):
        yield {
            c.EVENT_ID: str(number), c.OCCURRED_AT: at, c.EVENT_TYPE: event_type,
            c.IDENTIFIER: who, c.IDENTIFIER_KIND: c.EXTERNAL_ID,
        }  # fmt: skip


TASKS: Mapping[str, Callable[[Data], Shop]] = {
    "grocery": completejourney,
    "taobao": taobao_clicks,
    "opens": email_opens,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--choose", action="store_true", help="compare strengths, judge nothing")
    add_option(parser)
    arguments = parser.parse_args()
    document: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        data = Data(arguments.data, Path(cache))
        for task in arguments.task:
            if task != "grocery" and data.folder is None:
                print(f"\n## {task}: left out, it needs --data FOLDER")
                continue
            print(f"\n## {task}\n")
            shop = TASKS[task](data)
            if arguments.choose:
                compare(shop)
            else:
                document[task] = judged(shop)
    print(json.dumps(document))


if __name__ == "__main__":
    main()
