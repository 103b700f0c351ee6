"""What a night learned: levels, stackers and calibrators at one cut-off, ready to score anyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring import young
from scoring.calibration import Calibrator
from scoring.history import BOUGHT
from scoring.level import Level
from scoring.models import Floats, Ints
from scoring.models.parts import Part
from scoring.models.stacker import Stacker

ANY = "any"  # the level with one target: buys anything at all
RANKING = "item-ranking"  # items within a customer
PROSPECTS = "item-prospect"  # the same within one who bought nothing yet
NEWCOMERS = "item-new"  # customers for an item that was never sold
CHUNK = 65_536  # pairs described at once
ALMOST_CERTAIN = np.nextafter(np.float32(1), np.float32(0))


@dataclass(frozen=True)
class Judge:
    """A stacker and what turns its output into the frequency that was seen."""

    stacker: Stacker
    calibrator: Calibrator

    def probability(self, parts: Sequence[Part], n: int) -> Floats:
        """float32[n]: of ``n`` pairs that are described in parts."""
        return self.calibrator(self.stacker.of_parts(parts, n))


@dataclass(frozen=True)
class Fitted:
    """``levels``: item, brand, category and any, or those asked for. ``judges[kind][name]``: by
    level, and RANKING, PROSPECTS and NEWCOMERS for items.

    Labels were learned in windows of ``window_days``: ``horizon_days``, unless the history is
    too short for that.
    """

    cutoff: int
    horizon_days: int
    window_days: int
    levels: Mapping[str, Level]
    judges: Mapping[int, Mapping[str, Judge]]

    def probability(self, level: str, customer: Ints, target: Ints, kind: int = BOUGHT) -> Floats:
        """float32[n]: probability of each pair within the horizon, for choosing customers."""
        judges = self.judges[kind]
        never = self.levels[level].never_sold[target] if level == "item" else None
        if never is None or not never.any():
            return self._of_sold(level, judges[level], customer, target, kind)
        out = np.empty(len(customer), dtype=np.float32)
        out[never] = self._judged(level, judges[NEWCOMERS], customer[never], target[never])
        sold = ~never
        if sold.any():
            out[sold] = self._of_sold(level, judges[level], customer[sold], target[sold], kind)
        return out

    def preference(self, customer: Ints, item: Ints) -> Floats:
        """float32[n]: probability of each candidate, for choosing items for a customer."""
        nothing = self.levels["item"].bought_nothing[customer]
        out = np.empty(len(customer), dtype=np.float32)
        for new, rows in ((False, ~nothing), (True, nothing)):
            if rows.any():
                out[rows] = self._judged("item", self.ranker(new=new), customer[rows], item[rows])
        return out

    def ranker(self, *, new: bool) -> Judge:
        """The judge of items for a customer, ``new``: who bought nothing yet."""
        return self.judges[BOUGHT][PROSPECTS if new else RANKING]

    def in_horizon(self, probability: Floats) -> Floats:
        """From the label window to the horizon, at a constant hazard."""
        if self.window_days == self.horizon_days:
            return probability
        exponent = self.horizon_days / self.window_days
        carried = 1.0 - (1.0 - probability.astype(np.float64)) ** exponent
        return np.minimum(carried.astype(np.float32), ALMOST_CERTAIN)

    def relative_error(self, level: str, kind: int = BOUGHT) -> float:
        """Standard deviation of what comes over what is expected of a target, beyond chance."""
        return self.judges[kind][level].calibrator.relative_error

    def _of_sold(self, level: str, judge: Judge, customer: Ints, target: Ints, kind: int) -> Floats:
        """What was learned, and habits where a young shop's windows fall short of the horizon."""
        learned = self._judged(level, judge, customer, target)
        if self.window_days >= self.horizon_days or kind != BOUGHT:
            return learned
        habit = young.habitual(self.levels[level], customer, target, self.horizon_days)
        return young.blended(learned, habit, self.window_days / self.horizon_days)

    def _judged(self, level: str, judge: Judge, customer: Ints, target: Ints) -> Floats:
        """One thread: most of the time is that of short array operations, between which several
        would wait for each other."""
        out = np.empty(len(customer), dtype=np.float32)
        for begin in range(0, len(out), CHUNK):
            part = slice(begin, begin + CHUNK)
            parts = self.levels[level].parts(customer[part], target[part])
            out[part] = judge.probability(parts, len(out[part]))
        return self.in_horizon(out)
