"""The models that a segment job judges by: the snapshot's, those of other horizons, groups.

A horizon other than the night's is learned from the snapshot's own history when somebody asks for
it, and kept beside the snapshot's model: the next job finds it there.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from scoring import history as histories
from scoring import model_files, training
from scoring.fitted import ANY, CHUNK, NEWCOMERS, Fitted, Judge
from scoring.history import BOUGHT, CLICKED, History
from scoring.models import Floats, Ints
from scoring.progress import Progress
from scoring.reasons.explain import explain_members
from scoring.reasons.facts import Packed
from scoring.segment_groups import base_level, fit_group
from scoring.segment_request import SegmentError
from scoring.segment_targets import GROUP, Part
from scoring.snapshot import HORIZONS
from settings.workspace import ModelSettings

KINDS = {"purchase": BOUGHT, "click": CLICKED}


@dataclass(frozen=True)
class Judged:
    """One target and the model that judges it."""

    fitted: Fitted
    level: str
    number: int
    kind: int

    @property
    def judge(self) -> Judge:
        return self.fitted.judges[self.kind][self._name]

    @property
    def relative_error(self) -> float:
        """Standard deviation of the answers over those expected, beyond chance."""
        return self.fitted.relative_error(self._name, self.kind)

    def probability(self, customer: Ints) -> Floats:
        """float32[n]: probability of an answer of each customer within the horizon."""
        target = np.full_like(customer, self.number)
        return self.fitted.probability(self.level, customer, target, self.kind)

    def reasons(self, customer: Ints) -> Packed:
        """uint32[n, 3]: why each customer; see scoring.reasons."""
        level, stacker = self.fitted.levels[self.level], self.judge.stacker
        out = np.zeros((len(customer), 3), dtype=np.uint32)
        for begin in range(0, len(customer), CHUNK):
            part = customer[begin : begin + CHUNK]
            described = level.describe(part, np.full_like(part, self.number))
            out[begin : begin + CHUNK] = explain_members(level.features, stacker, described)
        return out

    @property
    def _name(self) -> str:
        """Of the judge: an item that was never sold has its own."""
        level = self.fitted.levels[self.level]
        new = self.level == "item" and level.never_sold[self.number]
        return NEWCOMERS if new else self.level


@dataclass(frozen=True)
class Models:
    """A snapshot's history and models for one goal and horizon."""

    folder: Path
    goal: str
    horizon_days: int
    history: History
    tonight: Fitted
    settings: ModelSettings
    progress: Progress
    _levels: dict[str, Fitted] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def open(
        cls,
        folder: Path,
        goal: str,
        horizon_days: int | None,
        settings: ModelSettings,
        progress: Progress,
    ) -> Models:
        """``folder``: the snapshot's model folder; ``horizon_days`` None: the night's own.

        Raises SegmentError for a folder that cannot be read, and a goal that was not learned.
        """
        try:
            history = histories.load(folder / "history")
            tonight = model_files.load(folder / "fitted")
        except (OSError, ValueError, model_files.ModelFilesError) as problem:
            raise SegmentError(f"the snapshot's model cannot be read: {problem}") from problem
        if KINDS[goal] not in tonight.judges:
            raise SegmentError(
                f"goal {goal} was not learned: the workspace has too few {goal} events; ask for "
                "goal purchase"
            )
        days = tonight.horizon_days if horizon_days is None else horizon_days
        return cls(folder, goal, days, history, tonight, settings, progress)

    @property
    def kind(self) -> int:
        return KINDS[self.goal]

    def judged(self, part: Part) -> Judged:
        """The model for a part; a group is fitted here."""
        if part.level != GROUP:
            return Judged(self.of(part.level), part.level, part.number, self.kind)
        level = base_level(self.history.catalogue)
        fitted = self.of(level)
        group = fit_group(self.history, fitted, level, part.inside)
        return Judged(replace(fitted, levels={level: group}), level, group.n_targets - 1, self.kind)

    def anything(self) -> Judged:
        """Whether a customer shops (or clicks) at all."""
        return Judged(self.of(ANY), ANY, 0, self.kind)

    def of(self, level: str) -> Fitted:
        """The models of a level for the horizon: the night's, kept ones, or learned now."""
        if self.horizon_days == self.tonight.horizon_days:
            return self.tonight
        if level not in self._levels:
            self._levels[level] = self._kept(level) or self._learned(level)
        return self._levels[level]

    def _place(self, level: str) -> Path:
        return self.folder / HORIZONS / f"{self.goal}-{self.horizon_days}-{level}"

    def _kept(self, level: str) -> Fitted | None:
        """None for one that is not there, damaged, or of another version."""
        with contextlib.suppress(model_files.ModelFilesError):
            return model_files.load(self._place(level))
        return None

    def _learned(self, level: str) -> Fitted:
        def progress(step: str, done: int, total: int | None) -> None:
            self.progress(f"learn {self.horizon_days} days: {step}", done, total)

        fitted = training.fit(
            self.history,
            self.tonight.cutoff,
            horizon_days=self.horizon_days,
            levels=[level],
            kinds=(self.kind,),
            settings=self.settings,
            progress=progress,
        )
        keep(fitted, self._place(level))
        return fitted


def keep(fitted: Fitted, place: Path) -> None:
    """Writes a model so that it appears whole or not at all.

    One that cannot be kept (a full disk, a snapshot that went meanwhile) is learned anew next time.
    """
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=place.parent))
        try:
            model_files.save(fitted, beside)
            shutil.rmtree(place, ignore_errors=True)  # damaged, or it would have been used
            beside.rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
