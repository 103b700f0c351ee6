"""The nightly job: import → identity → features → train → backtest → gate → score → publish → sync.

Read it from top to bottom. Each step writes its results into the run's folder and is not repeated
once done: a run that was killed goes on where it stopped, with the moment it was begun at as its
now. Readers see the snapshot before until ``publish`` moves the pointer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoring import best_hour, features, gate, model_files, run_log, score, snapshot, training
from scoring import history as histories
from scoring.backtest import report as backtests
from scoring.backtest import summary
from scoring.behaviour import Behaviour
from scoring.history import BOUGHT, CLICKED, History
from scoring.identity import Identity, resolve
from scoring.importing import import_sources
from scoring.lake import Lake
from scoring.news import Before, day_of
from scoring.progress import Progress
from scoring.run_log import Details, Run, RunReport, runs
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.sources.registry import SOURCES, Open
from scoring.store.keys import hasher
from settings.workspace import WorkspaceSettings

__all__ = [
    "GateRefusal", "NightlyContext", "NothingToLearnError", "RunNameError", "RunReport", "run",
    "runs",
]  # fmt: skip

STALE_AFTER = timedelta(days=1)  # an unfinished run older than this is not gone on with
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # as the routes know runs and snapshots
MIN_CLICKS = 500  # fewer are too few to learn what gets clicked


class NothingToLearnError(Exception):
    """There is no purchase to learn from; the text says what to do."""


class RunNameError(Exception):
    """A run of this name cannot be made or gone on with; the text says why."""


class GateRefusal(Exception):  # noqa: N818 - a verdict, not a fault
    """The gate keeps yesterday's snapshot; the text says why."""


@dataclass(frozen=True)
class NightlyContext:
    """What a night needs from outside. ``publish``, ``sync`` and ``bring_live`` must be
    safe to repeat."""

    workspace: WorkspaceSettings
    workspace_dir: Path
    now: datetime
    progress: Progress
    publish: Callable[[Snapshot], None]
    sync: Callable[[Snapshot], dict[str, Any]]
    run_id: str | None = None
    active: str | None = None  # the published snapshot, which the gate compares with
    secret: bytes | None = None  # the installation's; needed once a customer was erased
    source_types: Mapping[str, Open] = field(default_factory=lambda: SOURCES)
    decisions: Callable[[], Details] = dict  # tidies their log, says how it stands
    bring_live: Callable[[], None] = lambda: None  # what was said of items meanwhile → lake


def run(context: NightlyContext) -> RunReport:
    """One whole night. Returns the report with state done, or gated with the gate's reason.

    Raises RunNameError for a name that cannot be, and what a step raises, after noting it in the
    report; call again to go on from that step.
    """
    this = _begin(context)
    night = _Night(context, this, this.report.now)
    try:
        this.step("import", night.import_)
        this.step("identity", night.identify)
        this.step("features", night.features)
        this.step("train", night.train)
        this.step("backtest", night.backtest)
        this.step("gate", night.gate)
        this.step("score", night.score)
        this.step("publish", night.publish)
        this.step("sync", night.sync)
    except GateRefusal as refusal:
        this.report.report["reason"] = str(refusal)
        this.finish(run_log.GATED)
        return this.report
    except (NothingToLearnError, model_files.ModelFilesError) as error:
        this.report.report["reason"] = str(error)
        this.finish(run_log.FAILED)  # for good: the next one must import, or train, again
        raise
    except Exception as error:
        this.report.report["reason"] = str(error)
        this.report.state = run_log.FAILED
        this.save()
        raise
    this.finish(run_log.DONE)
    run_log.remove_old(context.workspace_dir, keep=30)
    return this.report


def _begin(context: NightlyContext) -> Run:
    """The unfinished run of this workspace if it is recent, else a new one."""
    folder = context.workspace_dir / "runs"
    unfinished = []
    for document in runs(context.workspace_dir):
        if document["finished_at"] is not None:
            continue
        if context.now - datetime.fromisoformat(document["now"]) < STALE_AFTER:
            unfinished.append(document["run"])
        else:
            given_up = Run.begin(folder / document["run"], document["workspace"], context.now)
            given_up.report.report.setdefault("reason", "not gone on with for a day")
            given_up.finish(run_log.FAILED)
    name = context.run_id or (unfinished or [_new_name(folder, context.now)])[0]
    if not _NAME.fullmatch(name):
        raise RunNameError(
            f"the name of a run: found {name!r}, expected letters, digits, '.', '_' and '-'"
        )
    this = Run.begin(folder / name, context.workspace.workspace, context.now)
    if this.report.state == run_log.GATED:
        raise RunNameError(f"the gate refused run {name}, which is over: start a new one")
    this.report.state = run_log.RUNNING
    this.report.report.pop("reason", None)
    return this


def _new_name(folder: Path, now: datetime) -> str:
    name = now.strftime("%Y%m%dT%H%M%SZ")
    taken = [path.name for path in folder.glob(f"{name}*")]
    return name if not taken else f"{name}-{len(taken) + 1}"


class _Night:
    """The steps of one run, in order; each gets the folder for its results."""

    def __init__(self, context: NightlyContext, this: Run, now: datetime) -> None:
        self._context = context
        self._run = this
        self._now = now
        self._lake = Lake(context.workspace_dir / "lake")
        self._models = context.workspace.models

    def import_(self, folder: Path) -> Details:
        """Sources → lake: what is new since the last import; then what was said since of items."""
        report = import_sources(
            self._context.workspace,
            self._context.workspace_dir,
            now=self._now,
            progress=self._context.progress,
            secret=self._context.secret,
            types=self._context.source_types,
        )
        self._context.bring_live()
        self._run.report.report["import"] = report.to_json()
        self._run.report.report["decisions"] = self._context.decisions()
        return {}

    def identify(self, folder: Path) -> Details:
        """Identifiers → customers."""
        identity = resolve(
            self._lake.events(before=self._now),
            self._lake.customers(),
            hasher(self._context.secret, self._context.workspace.workspace),
        )
        pq.write_table(identity.identifiers, folder / "identifiers.parquet")
        pq.write_table(identity.customers, folder / "customers.parquet")
        return {"customers": len(identity.customers), "identifiers": len(identity.identifiers)}

    def features(self, folder: Path) -> Details:
        """Lake → numbered history, up to now."""
        items = features.item_table(self._lake, self._now)
        history = features.build(self._lake, self._identity(), items, self._now)
        if not (history.kind == BOUGHT).any():
            raise NothingToLearnError(
                f"workspace {self._context.workspace.workspace} has no purchase before "
                f"{self._now:%Y-%m-%d %H:%M} UTC: check the events source with `rightsend check` "
                "and the quarantine in the run report"
            )
        if not history.sells():
            raise NothingToLearnError(
                f"no purchase of workspace {self._context.workspace.workspace} names an item: map "
                "item_id in the events source; where the data has none, give all the same one, "
                "as in item_id: {value: order}"
            )
        pq.write_table(items, folder / "items.parquet")
        histories.save(history, folder / "history")
        Behaviour.of(self._lake, self._identity(), items, self._now).save(folder)
        hours = best_hour.best_hours(
            self._lake, self._identity(), self._context.workspace, self._now
        )
        np.save(folder / "best_hour.npy", hours)
        return {"events": len(history.hour), "items": len(items)}

    def train(self, folder: Path) -> Details:
        """Base scorers and stackers, for tonight and for the holdout."""
        history = self._history()
        kinds: tuple[int, ...] = (BOUGHT,)
        if int((history.kind == CLICKED).sum()) >= MIN_CLICKS:
            kinds = (BOUGHT, CLICKED)
        cutoff = histories.hour_of(self._now)
        tonight, holdout = training.train(
            history, cutoff, kinds, self._models, self._context.progress
        )
        model_files.save(tonight, folder / "tonight")
        model_files.save(holdout, folder / "holdout")
        return {}

    def backtest(self, folder: Path) -> Details:
        """The holdout model against what happened in the last window, which it never saw."""
        holdout = model_files.load(self._run.folder / "train" / "holdout")
        results = backtests.of_history(
            self._history(), holdout, self._models, self._context.progress
        )
        self._run.report.report["backtest"] = {
            judged.level: summary.of_level(judged) for judged in results.levels
        }
        return {"quality": summary.quality(results)}

    def gate(self, folder: Path) -> Details:
        """Worse than what is published? Then it stays."""
        problem = gate.quality_problem(
            self._quality(), self._before(), self._context.workspace.gate
        )
        if problem:
            raise GateRefusal(problem)
        return {}

    def score(self, folder: Path) -> Details:
        """Tonight's model → the snapshot's folder."""
        workspace = self._context.workspace
        features_folder = self._run.folder / "features"
        history = self._history()
        fitted = model_files.load(self._run.folder / "train" / "tonight")
        identity = self._identity()
        past = score.Past(
            identity=identity,
            items=pq.read_table(features_folder / "items.parquet"),
            behaviour=Behaviour.load(features_folder),
            best_hour=np.load(features_folder / "best_hour.npy"),
            before=self._items_before(),
            now=self._now,
        )
        tables = score.tables(
            history, fitted, past, self._models, workspace.content, self._context.progress
        )
        problem = gate.scores_problem(tables, self._before(), workspace.gate)
        if problem:
            raise GateRefusal(problem)

        def model(target: Path) -> None:
            model_files.save(fitted, target / "fitted")
            histories.save(history, target / "history")
            pq.write_table(identity.customers, target / "customers.parquet")

        meta = snapshot.write(
            self._snapshot_folder(),
            SnapshotMeta(
                snapshot=self._run.folder.name,
                workspace=workspace.workspace,
                cutoff=self._now,
                created_at=self._now,
                horizon_days=self._models.horizon_days,
                quality=self._quality(),
            ),
            tables,
            model=model,
        )
        self._run.report.report |= {
            "snapshot": meta.snapshot,
            "digest": meta.digest,
            "customers": meta.customers,
            "items": meta.items,
            "brands": meta.brands,
            "categories": meta.categories,
        }
        return {"snapshot": meta.snapshot}

    def publish(self, folder: Path) -> Details:
        """Snapshot folder → store; the pointer moves when all is there."""
        self._context.publish(Snapshot.open(self._snapshot_folder()))
        keep = self._context.workspace.keep_snapshots
        removed = snapshot.prune(self._context.workspace_dir, keep, protect=[self._run.folder.name])
        return {"removed": removed}

    def sync(self, folder: Path) -> Details:
        """Scores → the host tools' user attributes."""
        report = self._context.sync(Snapshot.open(self._snapshot_folder()))
        self._run.report.report["sync"] = report
        return {}

    def _snapshot_folder(self) -> Path:
        return self._context.workspace_dir / "snapshots" / self._run.folder.name

    def _history(self) -> History:
        return histories.load(self._run.folder / "features" / "history")

    def _identity(self) -> Identity:
        folder = self._run.folder / "identity"
        parts: list[pa.Table] = [
            pq.read_table(folder / f"{name}.parquet") for name in ("identifiers", "customers")
        ]
        return Identity(*parts)

    def _quality(self) -> dict[str, Any]:
        for entry in self._run.report.steps:
            if entry["name"] == "backtest":
                return dict(entry["quality"])
        return {}

    def _before(self) -> SnapshotMeta | None:
        """The published snapshot; where that is not known, the newest on disk but this run's."""
        others = self._others()
        active = [meta for meta in others if meta.snapshot == self._context.active]
        return next(iter(active or others), None)

    def _items_before(self) -> Before | None:
        """What the newest night before this one knew of the items."""
        for meta in self._others():
            if meta.cutoff < self._now:
                folder = self._context.workspace_dir / "snapshots" / meta.snapshot
                items = Snapshot.open(folder, verify=False).items()
                return Before(items, day_of(meta.cutoff))
        return None

    def _others(self) -> list[SnapshotMeta]:
        """The snapshots on disk but this run's, newest first."""
        kept = snapshot.kept(self._context.workspace_dir)
        return [meta for meta in kept if meta.snapshot != self._run.folder.name]
