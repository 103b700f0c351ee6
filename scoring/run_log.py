"""A nightly run on disk: which steps are finished, how long they took, what they found.

``runs/<run_id>/run.json`` is rewritten atomically after every change. A step works in
``<step>.part`` and is renamed to ``<step>`` when it is done: a killed step leaves nothing that a
later one could take for whole.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RUNNING, DONE, FAILED, GATED = "running", "done", "failed", "gated"
Details = dict[str, Any]


@dataclass
class RunReport:
    """What a run did; ``to_json`` is run.json."""

    run: str
    workspace: str
    now: datetime
    state: str = RUNNING
    started_at: str = ""
    finished_at: str | None = None
    steps: list[Details] = field(default_factory=list)
    report: Details = field(default_factory=dict)

    def to_json(self) -> Details:
        return {**vars(self), "now": self.now.isoformat()}

    @classmethod
    def from_json(cls, document: Details) -> RunReport:
        return cls(**{**document, "now": datetime.fromisoformat(document["now"])})


class Run:
    """One run's folder."""

    def __init__(self, folder: Path, report: RunReport) -> None:
        self.folder = folder
        self.report = report

    @classmethod
    def begin(cls, folder: Path, workspace: str, now: datetime) -> Run:
        """Goes on with the run in ``folder``, or begins it at ``now``."""
        if found := read(folder):
            return cls(folder, found)
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(folder, RunReport(folder.name, workspace, now, started_at=_now()))
        run.save()
        return run

    def step(self, name: str, work: Callable[[Path], Details]) -> Details:
        """Does the step unless it is done; ``work`` gets an empty folder for its results.

        Returns what the step reported, then or now.
        """
        for entry in self.report.steps:
            if entry["name"] == name and entry["state"] == DONE:
                return entry
        self.report.steps = [e for e in self.report.steps if e["name"] != name]
        part, whole = self.folder / f"{name}.part", self.folder / name
        for leftover in (part, whole):
            shutil.rmtree(leftover, ignore_errors=True)
        part.mkdir()
        entry = {"name": name, "state": RUNNING}
        self.report.steps.append(entry)
        self.save()
        begin = time.monotonic()
        try:
            entry |= work(part)
        except BaseException as error:
            entry |= {"state": FAILED, "error": f"{type(error).__name__}: {error}"}
            self.save()
            raise
        part.rename(whole)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        entry |= {
            "state": DONE,
            "seconds": round(time.monotonic() - begin, 2),
            "peak_mb": round(peak),
        }
        self.save()
        return entry

    def finish(self, state: str) -> None:
        """Ends the run; its intermediate results go, the report stays."""
        self.report.state = state
        self.report.finished_at = _now()
        self.save()
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def save(self) -> None:
        beside = self.folder / ".run.json.part"
        beside.write_text(json.dumps(self.report.to_json(), indent=1, default=str) + "\n")
        beside.replace(self.folder / "run.json")


def read(folder: Path) -> RunReport | None:
    """The report in a run's folder; None where there is none, or a damaged one.

    A night must not fail for good because of a file about another one.
    """
    try:
        report = RunReport.from_json(json.loads((folder / "run.json").read_text()))
        whole = report.run == folder.name and isinstance(report.steps, list)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return report if whole else None


def runs(workspace_dir: Path) -> list[Details]:
    """Every run's report as JSON, newest first."""
    folders = [path.parent for path in (workspace_dir / "runs").glob("*/run.json")]
    found = [report.to_json() for report in map(read, folders) if report is not None]
    return sorted(
        found, key=lambda document: (document["started_at"], document["run"]), reverse=True
    )


def remove_old(workspace_dir: Path, keep: int) -> None:
    """Keeps the newest ``keep`` finished runs."""
    finished = [r for r in runs(workspace_dir) if r["state"] != RUNNING]
    for document in finished[keep:]:
        shutil.rmtree(workspace_dir / "runs" / document["run"], ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
