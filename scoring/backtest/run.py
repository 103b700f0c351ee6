"""`rightsend backtest`: models against what came after their cut-offs, which they never saw.

In a workspace with ``as_of`` the newest snapshot's own model is judged, and the truth is read
straight from the sources, from the snapshot's cut-off on; it goes nowhere but into the count. At
every other cut-off a model is trained as it would have been then, and judged by what the lake holds
since.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring import features, identity, model_files, training
from scoring import history as histories
from scoring.backtest import lists, report, summary
from scoring.backtest.ranking import Ranking
from scoring.backtest.report import Choice, Results
from scoring.fitted import Fitted
from scoring.history import BOUGHT, History
from scoring.identity import Identity
from scoring.importing import read_events_after
from scoring.lake import Lake
from scoring.progress import Progress
from scoring.snapshot import Snapshot
from scoring.sources.registry import SOURCES, Open
from scoring.store.keys import hasher
from settings.workspace import WorkspaceSettings

ABLATIONS = ("affinity", "content", "ease", "engaged", "factors", "temporal")
PACKAGES = ("rightsend", "numpy", "scipy", "scikit-learn")


class BacktestError(Exception):
    """There is nothing to judge by; the text says what to do."""


@dataclass(frozen=True)
class Plan:
    """``choice``: what is judged; ``ablations``: those of ABLATIONS without each of which another
    model is trained, as a rival (the other scorers are what every pair is described by);
    ``command``: what repeats it, for whoever reads the page."""

    choice: Choice = field(default_factory=Choice)
    ablations: tuple[str, ...] = ()
    command: str = "rightsend backtest"


@dataclass(frozen=True)
class CutoffReport:
    """One cut-off. ``snapshot``: whose model was judged; None when one was trained for it.

    ``known``: what there was before (customers, items, purchases) and in the window (purchases).
    """

    cutoff: datetime
    snapshot: str | None
    known: Mapping[str, int]
    results: Results
    rankings: list[Ranking]
    seconds: float

    def to_json(self, horizon_days: int) -> dict[str, Any]:
        return {
            "cutoff": self.cutoff.isoformat(),
            "end": (self.cutoff + timedelta(days=horizon_days)).isoformat(),
            "snapshot": self.snapshot,
            **self.known,
            "seconds": round(self.seconds, 1),
            "left_out": dict(self.results.left_out),
            "levels": {
                judged.level: {
                    "targets": len(judged.targeting.targets),
                    "methods": summary.compared(
                        judged.targeting.measures, judged.targeting.resampled
                    )[0],
                    "calibration_error": judged.reliability.to_json()["calibration_error"],
                    "expected_over_observed": judged.reliability.to_json()[
                        "expected_over_observed"
                    ],
                }
                for judged in self.results.levels
            },
        }


@dataclass(frozen=True)
class BacktestReport:
    """``cutoffs``: newest first; each window is the ``horizon_days`` after its cut-off."""

    workspace: WorkspaceSettings
    plan: Plan
    cutoffs: list[CutoffReport]

    @property
    def results(self) -> list[report.Judged]:
        """Each level over all cut-offs at which it was judged, in the order asked for."""
        found: dict[str, list[report.Judged]] = {}
        for cutoff in self.cutoffs:
            for judged in cutoff.results.levels:
                found.setdefault(judged.level, []).append(judged)
        return [report.combine(found[n]) for n in self.plan.choice.levels if n in found]

    def rankings(self) -> list[Ranking]:
        """All items, and new ones, over all cut-offs."""
        return [
            lists.combine(parts)
            for new_only in (False, True)
            if (parts := [r for c in self.cutoffs for r in c.rankings if r.new_only == new_only])
        ]

    def table(self) -> str:
        days = timedelta(days=self.workspace.models.horizon_days)
        lines = [
            f"{self.workspace.workspace}: known before {one.cutoff:%Y-%m-%d %H:%M} UTC, judged by "
            f"the purchases until {one.cutoff + days:%Y-%m-%d %H:%M}"
            for one in self.cutoffs
        ]
        lines += [
            f"{level} is left out: {reason}"
            for level, reason in self.cutoffs[0].results.left_out.items()
        ]
        return "\n".join(
            [
                *lines,
                "lift@20: how many times the buyers of a random 20 % are among the best 20 %, on "
                "average over the targets\n",
                summary.table(self.results),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, all that the page shows: scoring.backtest.page makes it from this."""
        models = self.workspace.models
        choice = self.plan.choice
        return {
            "workspace": self.workspace.workspace,
            "cutoff": self.cutoffs[0].cutoff.isoformat(),
            "horizon_days": models.horizon_days,
            "command": self.plan.command,
            "cutoffs": [one.to_json(models.horizon_days) for one in self.cutoffs],
            "levels": {judged.level: summary.of_level(judged) for judged in self.results},
            "ranking": [summary.of_ranking(ranking) for ranking in self.rankings()],
            "settings": {
                "levels": list(choice.levels),
                "targets": choice.targets if choice.min_buyers is None else None,
                "min_buyers": choice.least(models),
                "ablations": list(self.plan.ablations),
                "models": asdict(models),
            },
            "versions": {name: metadata.version(name) for name in PACKAGES}
            | {"python": platform.python_version()},
        }


def of_snapshot(
    workspace: WorkspaceSettings,
    snapshot: Snapshot,
    progress: Progress,
    plan: Plan | None = None,
    types: Mapping[str, Open] = SOURCES,
) -> CutoffReport:
    """The snapshot's own model against the sources' events after its cut-off.

    Raises BacktestError when the sources hold none, SourceError when they cannot be read.
    """
    started = time.perf_counter()
    plan = plan or Plan()
    history = histories.load(snapshot.model / "history")
    fitted = model_files.load(snapshot.model / "fitted")
    cutoff, days = snapshot.meta.cutoff, snapshot.meta.horizon_days
    until = cutoff + timedelta(days=days)
    later = read_events_after(workspace, since=cutoff, until=until, types=types)
    truth = _truth(snapshot, history, later, fitted.cutoff)
    if not truth.sells():
        raise BacktestError(
            f"the sources hold no purchase of an item in the {days} days after "
            f"{cutoff:%Y-%m-%d %H:%M} UTC"
        )
    judged = _Judge(replace(workspace, models=replace(workspace.models, horizon_days=days)), plan)
    results, rankings = judged.both(history, fitted, truth, progress)
    return CutoffReport(
        cutoff, snapshot.meta.snapshot, _known(history, truth, fitted.cutoff), results, rankings,
        time.perf_counter() - started,
    )  # fmt: skip


def of_lake(
    workspace: WorkspaceSettings,
    workspace_dir: Path,
    cutoff: datetime,
    progress: Progress,
    plan: Plan | None = None,
    *,
    secret: bytes | None = None,
) -> CutoffReport:
    """Trains on what the lake holds before ``cutoff`` and judges by what it holds after.

    Without the installation's ``secret`` events of landing pages are nobody's.

    Raises BacktestError when one of the two is empty.
    """
    started = time.perf_counter()
    plan = plan or Plan()
    lake = Lake(workspace_dir / "lake")
    end = cutoff + timedelta(days=workspace.models.horizon_days)
    hash_of = hasher(secret, workspace.workspace)
    people = identity.resolve(lake.events(before=cutoff), lake.customers(), hash_of)
    items = features.item_table(lake, cutoff)
    history = features.build(lake, people, items, cutoff)
    truth = features.from_events(lake.events(before=end, since=cutoff), people, items)
    for name, part in (("before", history), ("after", truth)):
        if not part.sells():
            raise BacktestError(
                f"the lake holds no purchase of an item {name} {cutoff:%Y-%m-%d %H:%M} UTC: "
                "choose another --cutoff or import more"
            )
    hour = histories.hour_of(cutoff)
    judge = _Judge(workspace, plan)
    fitted = judge.fit(history, hour, progress)
    truth = _from_hour(truth, hour)
    results, rankings = judge.both(history, fitted, truth, progress)
    return CutoffReport(
        cutoff, None, _known(history, truth, hour), results, rankings,
        time.perf_counter() - started,
    )  # fmt: skip


def check_window(workspace: WorkspaceSettings, cutoff: datetime, now: datetime) -> None:
    """Raises BacktestError when the window after ``cutoff`` is not over at ``now``: purchases that
    are still to come would count as none."""
    days = workspace.models.horizon_days
    newest = now - timedelta(days=days)
    if cutoff > newest:
        raise BacktestError(
            f"the {days} days after {cutoff:%Y-%m-%d %H:%M} UTC are not over: the newest --cutoff "
            f"that can be judged is {newest:%Y-%m-%dT%H:%M:%S}"
        )


def check_past(workspace_dir: Path, cutoffs: Sequence[datetime]) -> None:
    """Raises BacktestError when the lake's first purchase of an item comes after one of them: told
    before hours of training, not after."""
    if not cutoffs:
        return
    ever = Lake(workspace_dir / "lake").events(before=max(cutoffs))
    bought = ever.filter(ever[c.EVENT_TYPE] == c.PURCHASE, ever[c.ITEM_ID].notnull())
    first = bought[c.OCCURRED_AT].min().to_pyarrow().as_py()
    for cutoff in cutoffs:
        if first is None or first >= cutoff:
            since = f"; the first one was at {first:%Y-%m-%d %H:%M}" if first else ""
            raise BacktestError(
                f"the lake holds no purchase of an item before {cutoff:%Y-%m-%d %H:%M} UTC{since}: "
                "choose another --cutoff, fewer --windows, or import more"
            )


def earlier(cutoff: datetime, windows: int, horizon_days: int) -> Sequence[datetime]:
    """The ``windows`` cut-offs before one, a window apart, newest first."""
    return [cutoff - timedelta(days=horizon_days * n) for n in range(1, windows + 1)]


@dataclass(frozen=True)
class _Judge:
    workspace: WorkspaceSettings
    plan: Plan

    def fit(
        self, history: History, hour: int, progress: Progress, without: tuple[str, ...] = ()
    ) -> Fitted:
        models = self.workspace.models
        return training.fit(
            history, hour, horizon_days=models.horizon_days, levels=self.plan.choice.levels,
            settings=models, progress=progress, without=without,
        )  # fmt: skip

    def both(
        self, history: History, fitted: Fitted, truth: History, progress: Progress
    ) -> tuple[Results, list[Ranking]]:
        """Targeting of all levels, and ranking of items if they are among them."""
        others = {
            f"without {name}": self.fit(history, fitted.cutoff, progress, (name,))
            for name in self.plan.ablations
        }
        results = report.of_history(
            history, fitted, self.workspace.models, progress,
            truth=truth, choice=self.plan.choice, rules=report.EVERY_RULE, others=others,
        )  # fmt: skip
        if "item" not in self.plan.choice.levels:
            return results, []
        days = self.workspace.models.horizon_days
        rankings = lists.of_history(history, fitted, days, truth=truth)
        progress("rank", 1, 1)
        return results, rankings


def _known(history: History, truth: History, hour: int) -> dict[str, int]:
    return {
        "customers": int((history.known_customers(hour) & (history.customers != "")).sum()),
        "items": history.catalogue.n_items,
        "purchases_before": int((history.kind == BOUGHT).sum()),
        "purchases_after": int((truth.kind == BOUGHT).sum()),
    }


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


__all__ = [
    "ABLATIONS", "BacktestError", "BacktestReport", "CutoffReport", "Plan", "check_past",
    "check_window", "earlier", "of_lake", "of_snapshot",
]  # fmt: skip
