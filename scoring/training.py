"""Temporal training: what was known at several earlier cut-offs, labelled by what came next.

For the cut-off T and label windows of W hours, the stacker that publishes learns from the windows
that end at T, T − S, T − 2S, …, where the step S is W or four weeks, whichever is less; the one
that is judged (the holdout) learns only from those that end before T − W and is measured on
[T − W, T). No window reaches past T. What the holdout says of the newest window, which it never
saw, calibrates tonight's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from scoring import heaps, samples
from scoring.calibration import Calibrator, prior_shift
from scoring.fitted import ANY, NEWCOMERS, PROSPECTS, RANKING, Fitted, Judge
from scoring.history import BOUGHT, LEVELS, History
from scoring.level import Level
from scoring.models.affinity import Affinity, AffinityTrainer
from scoring.models.boosting import Binned
from scoring.models.lessons import Lessons
from scoring.models.stacker import Stacker
from scoring.progress import Progress, silent
from scoring.samples import Rows, Window
from settings.workspace import ModelSettings

REFINING_EPOCHS = 1  # of the affinity model, from one cut-off to the next
THREADS = 2  # levels, and stackers, at once
LONGEST_STEP_DAYS = 28
MIN_KNOWN_SHARE = 0.05  # a window known of fewer of tonight's customers is another shop's

EVERY_LEVEL = (*LEVELS, ANY)
Draw = Callable[[History, Level, Window], Rows]


@dataclass(frozen=True)
class Plan:
    """Cut-offs (hours), oldest first, the last one being tonight's; ``window``: hours."""

    cutoffs: tuple[int, ...]
    window: int

    @classmethod
    def of(cls, history: History, cutoff: int, horizon_days: int, windows: int) -> Plan:
        """As many windows as the history holds, ``windows`` at most.

        A shop younger than two horizons learns from shorter windows: half of its past.
        """
        past = history.hour[history.hour < cutoff]
        span_days = (cutoff - int(past.min())) // 24 if len(past) else 0
        days = horizon_days
        if span_days < 2 * horizon_days:
            days = min(horizon_days, max(span_days // 2, 1))
        step = min(days, LONGEST_STEP_DAYS) * 24
        least = MIN_KNOWN_SHARE * history.known_customers(cutoff).sum()
        found = [cutoff]
        for number in range(windows):
            earlier = cutoff - days * 24 - number * step
            if history.known_customers(earlier).sum() <= least:
                break
            found.append(earlier)
        return cls(tuple(reversed(found)), days * 24)


def train(
    history: History,
    cutoff: int,
    kinds: tuple[int, ...],
    settings: ModelSettings,
    progress: Progress,
) -> tuple[Fitted, Fitted]:
    """(tonight at ``cutoff``, holdout at cutoff − one window)."""
    plan = Plan.of(history, cutoff, settings.horizon_days, settings.training_windows)
    return _Training(history, plan, EVERY_LEVEL, kinds, settings, progress).run()


def fit(
    history: History,
    cutoff: int,
    *,
    horizon_days: int,
    levels: Sequence[str] = EVERY_LEVEL,
    kinds: tuple[int, ...] = (BOUGHT,),
    without: Collection[str] = (),
    settings: ModelSettings,
    progress: Progress = silent,
) -> Fitted:
    """What a night at ``cutoff`` (hours) would learn of some levels, for any horizon.

    ``without``: scorers that are left out, to see what they bring.
    """
    plan = Plan.of(history, cutoff, horizon_days, settings.training_windows)
    chosen = [name for name in EVERY_LEVEL if name in levels]
    training = _Training(history, plan, chosen, kinds, settings, progress, horizon_days, without)
    return training.run()[0]


def fit_level(
    history: History,
    name: str,
    cutoff: int,
    affinity: Affinity,
    window_days: int,
    lessons: Lessons | None = None,
) -> Level:
    """The named level at a cut-off; ``any`` groups all items into one target."""
    if name == ANY:
        everything = np.zeros(history.catalogue.n_items, dtype=np.int32)
        return Level.fit_group(history, everything, cutoff)
    return Level.fit(history, name, cutoff, affinity, window_days, lessons)


class _Training:
    """One pass through the cut-offs: levels are kept only as long as they are needed."""

    def __init__(
        self,
        history: History,
        plan: Plan,
        names: Sequence[str],
        kinds: tuple[int, ...],
        settings: ModelSettings,
        progress: Progress,
        horizon_days: int | None = None,
        without: Collection[str] = (),
    ) -> None:
        self._history = history
        self._plan = plan
        self._names = names
        self._kinds = kinds
        self._settings = settings
        self._horizon_days = horizon_days or settings.horizon_days
        self._without = without
        self._progress = progress
        self._lessons = {name: Lessons() for name in names}
        self._rows: dict[tuple[int, str], list[Rows]] = {
            (kind, population): []
            for kind in kinds
            for name in names
            for population in self._populations(name, kind)
        }

    def run(self) -> tuple[Fitted, Fitted]:
        heaps.share()
        # threads of a matrix product that wait for each other take the time of those here
        with threadpool_limits(1, user_api="blas"):
            return self._run()

    def _run(self) -> tuple[Fitted, Fitted]:
        levels: dict[int, dict[str, Level]] = {}
        cutoffs = self._plan.cutoffs
        newest = cutoffs[-2:]  # tonight's, and the holdout's
        with ThreadPoolExecutor(THREADS) as pool:
            collecting: list[Future[None]] = []  # while the next cut-off's levels are fitted
            for index, (moment, affinity) in enumerate(self._affinities()):
                learn = functools.partial(self._level, moment, affinity)
                at = dict(zip(self._names, pool.map(learn, self._names), strict=True))
                _wait(collecting)
                if index < len(cutoffs) - 1:
                    collecting = [
                        pool.submit(self._collect, index, moment, name, level)
                        for name, level in at.items()
                    ]
                if moment in newest:
                    levels[moment] = at
                heaps.give_back()
                self._progress("train", index + 1, len(cutoffs))
        self._lessons.clear()
        tonight, holdout = self._judges()
        return (
            self._fitted(cutoffs[-1], levels[cutoffs[-1]], tonight),
            self._fitted(newest[0], levels[newest[0]], holdout),
        )

    def _level(self, moment: int, affinity: Affinity, name: str) -> Level:
        days = self._plan.window // 24
        level = fit_level(self._history, name, moment, affinity, days, self._lessons[name])
        return level.without(self._without)

    def _fitted(
        self, cutoff: int, levels: Mapping[str, Level], judges: Mapping[int, dict[str, Judge]]
    ) -> Fitted:
        return Fitted(cutoff, self._horizon_days, self._plan.window // 24, levels, judges)

    def _affinities(self) -> Iterator[tuple[int, Affinity]]:
        """Each cut-off's, while the next one's is being learned in a thread of its own."""
        settings, cutoffs = self._settings, self._plan.cutoffs
        trainer = AffinityTrainer(
            self._history, cutoffs[0], components=settings.affinity_components, seed=settings.seed
        )
        epochs = [settings.affinity_epochs, *[REFINING_EPOCHS] * (len(cutoffs) - 1)]
        with ThreadPoolExecutor(1) as beside:
            yield from zip(cutoffs, beside.map(trainer.advance, cutoffs, epochs), strict=True)

    def _collect(self, index: int, moment: int, name: str, level: Level) -> None:
        """The rows of one window, for every stacker that learns from this level."""
        number = EVERY_LEVEL.index(name)
        for kind in self._kinds:
            seed = (self._settings.seed, index, kind, number)
            window = Window(moment, moment + self._plan.window, kind, seed)
            for population, draw in self._populations(name, kind).items():
                self._rows[kind, population].append(draw(self._history, level, window))

    @staticmethod
    def _populations(name: str, kind: int) -> dict[str, Draw]:
        """The stackers that learn from a level, each with its rows."""
        populations: dict[str, Draw] = {name: samples.targeting}
        if name == "item":
            populations[NEWCOMERS] = samples.newcomers
            if kind == BOUGHT:
                populations[RANKING] = samples.ranking
                populations[PROSPECTS] = samples.prospects
        return populations

    def _judges(self) -> tuple[dict[int, dict[str, Judge]], dict[int, dict[str, Judge]]]:
        """(tonight, holdout)."""
        tonight: dict[int, dict[str, Judge]] = {kind: {} for kind in self._kinds}
        holdout: dict[int, dict[str, Judge]] = {kind: {} for kind in self._kinds}
        total = len(self._rows)
        with ThreadPoolExecutor(THREADS) as pool:
            for done, (kind, name) in enumerate(list(self._rows), start=1):
                windows = self._rows.pop((kind, name))
                before = self._before_newest(windows)
                rows = bin_rows(windows, before) if windows else None
                learn = functools.partial(fit_stacker, rows=rows, seed=self._settings.seed)
                earlier, now = pool.map(learn, (before, windows))
                calibrator = calibrate(earlier, windows[-1]) if before else Calibrator.none()
                holdout[kind][name] = Judge(earlier, Calibrator.none())
                tonight[kind][name] = Judge(now, calibrator)
                heaps.give_back()
                self._progress("stack", done, total)
        return tonight, holdout

    def _before_newest(self, windows: list[Rows]) -> list[Rows]:
        """Windows that end before the newest begins."""
        *cutoffs, start = self._plan.cutoffs[: len(windows)] or (0,)
        return [
            rows
            for rows, cutoff in zip(windows, cutoffs, strict=False)
            if cutoff + self._plan.window <= start
        ]


def calibrate(earlier: Stacker, newest: Rows) -> Calibrator:
    """What a stacker says of a window that it never saw, against what happened."""
    rows = newest.like_those_asked()
    return Calibrator.fit(earlier.probability(rows.x), rows.y, rows.weight, rows.target)


def _wait(tasks: Iterable[Future[None]]) -> None:
    """Raises what a task raised."""
    for task in tasks:
        task.result()


def bin_rows(windows: list[Rows], before: list[Rows]) -> Binned:
    """All rows, once for both stackers; by what the first ``before`` windows know, if any."""
    seen = sum(len(rows.y) for rows in before) or None
    return Binned.of(np.concatenate([rows.x for rows in windows]), seen)


def fit_stacker(windows: list[Rows], seed: int, rows: Binned | None = None) -> Stacker:
    """From the rows of several windows; constant when there are none. ``rows``: theirs, and those
    of later windows, already binned."""
    if not windows:
        return Stacker.constant(0.0)
    rows = rows or bin_rows(windows, [])
    y, weight = (np.concatenate([getattr(w, name) for w in windows]) for name in ("y", "weight"))
    return _at_its_level(Stacker.fit(rows, y, weight, seed=seed), windows)


def _at_its_level(stacker: Stacker, windows: list[Rows]) -> Stacker:
    """The stacker, expecting as many of the genuine rows as happened, if not all are genuine."""
    if all(w.genuine is None for w in windows):
        return stacker
    x, y, weight = (
        np.concatenate([getattr(w.like_those_asked(), name) for w in windows])
        for name in ("x", "y", "weight")
    )
    shift = prior_shift(stacker.probability(x), y, weight)
    return replace(stacker, baseline=stacker.baseline + shift)
