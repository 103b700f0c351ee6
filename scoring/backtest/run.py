"""`rightsend backtest`: the published model against what came after, which it never saw.

In a workspace with ``as_of`` the truth is read straight from the sources, from the snapshot's
cut-off on; it goes nowhere but into the count. Without ``as_of`` the model is trained as it would
have been one horizon ago and judged by what the lake holds since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring import features, identity, model_files, training
from scoring import history as histories
from scoring.backtest import report
from scoring.backtest.targeting import Targeting, table
from scoring.history import BOUGHT, History
from scoring.identity import Identity
from scoring.importing import read_events_after
from scoring.lake import Lake
from scoring.snapshot import Snapshot
from scoring.training import Progress
from settings.workspace import WorkspaceSettings


class BacktestError(Exception):
    """There is nothing to judge by; the text says what to do."""


@dataclass(frozen=True)
class BacktestReport:
    """``cutoff``: what was known before; the window is the ``horizon_days`` after it."""

    workspace: str
    cutoff: datetime
    horizon_days: int
    results: list[Targeting]

    def table(self) -> str:
        end = self.cutoff + timedelta(days=self.horizon_days)
        return (
            f"{self.workspace}: known before {self.cutoff:%Y-%m-%d %H:%M} UTC, judged by the "
            f"purchases until {end:%Y-%m-%d %H:%M}\n"
            "lift@20: how many times the buyers of a random 20 % are among the best 20 %, on "
            "average over the best-selling targets\n\n" + table(self.results)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "cutoff": self.cutoff.isoformat(),
            "horizon_days": self.horizon_days,
            "levels": report.to_json(self.results),
        }


def of_snapshot(
    workspace: WorkspaceSettings, snapshot: Snapshot, progress: Progress
) -> BacktestReport:
    """The snapshot's own model against the sources' events after its cut-off.

    Raises BacktestError when the sources hold none, SourceError when they cannot be read.
    """
    history = histories.load(snapshot.model / "history")
    fitted = model_files.load(snapshot.model / "fitted")
    cutoff = snapshot.meta.cutoff
    days = snapshot.meta.horizon_days
    later = read_events_after(workspace, since=cutoff, until=cutoff + timedelta(days=days))
    truth = _truth(snapshot, history, later, fitted.cutoff)
    if not (truth.kind == BOUGHT).any():
        raise BacktestError(
            f"the sources hold no purchase in the {days} days after {cutoff:%Y-%m-%d %H:%M} UTC"
        )
    results = report.of_history(history, fitted, workspace.models, progress, truth=truth)
    return BacktestReport(workspace.workspace, cutoff, days, results)


def of_lake(
    workspace: WorkspaceSettings, workspace_dir: Path, cutoff: datetime, progress: Progress
) -> BacktestReport:
    """Trains on what the lake holds before ``cutoff`` and judges by what it holds after.

    Raises BacktestError when one of the two is empty.
    """
    lake = Lake(workspace_dir / "lake")
    end = cutoff + timedelta(days=workspace.models.horizon_days)
    people = identity.resolve(lake.events(before=cutoff), lake.customers())
    items = features.item_table(lake, cutoff)
    history = features.build(lake, people, items, cutoff)
    truth = features.from_events(lake.events(before=end, since=cutoff), people, items)
    for name, part in (("before", history), ("after", truth)):
        if not (part.kind == BOUGHT).any():
            raise BacktestError(
                f"the lake holds no purchase {name} {cutoff:%Y-%m-%d %H:%M} UTC: choose another "
                "--cutoff or import more"
            )
    hour = histories.hour_of(cutoff)
    fitted, _ = training.train(history, hour, (BOUGHT,), workspace.models, progress)
    truth = _from_hour(truth, hour)
    results = report.of_history(history, fitted, workspace.models, progress, truth=truth)
    return BacktestReport(workspace.workspace, cutoff, workspace.models.horizon_days, results)


def _truth(snapshot: Snapshot, history: History, events: pa.Table, hour: int) -> History:
    """The later events, numbered like the snapshot's history (whose erased customers have no id,
    but keep their place)."""
    ids = pa.array(history.customers.tolist(), pa.string())
    customers = pa.table({c.CUSTOMER_ID: ids, c.ATTRIBUTES: pa.nulls(len(ids), pa.string())})
    names = pc.unique(ids.filter(pc.not_equal(ids, "")))
    own = pa.table(
        {
            c.IDENTIFIER_KIND: pa.array([c.EXTERNAL_ID] * len(names), pa.string()),
            c.IDENTIFIER: names,
            c.CUSTOMER_ID: names,
        }
    )
    people = Identity(pa.concat_tables([own, snapshot.identifiers()]), customers)
    return _from_hour(features.from_events(ibis.memtable(events), people, snapshot.items()), hour)


def _from_hour(truth: History, hour: int) -> History:
    """The truth's first hour counted as the window's, whose start is rounded up to an hour."""
    return replace(truth, hour=truth.hour.clip(min=hour))


__all__ = ["BacktestError", "BacktestReport", "of_lake", "of_snapshot"]
