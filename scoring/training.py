"""Temporal training: what was known at several earlier cut-offs, labelled by what came next.

For the cut-off T and label windows of W hours, the stacker that publishes learns from the windows
that start at T − W, T − 2W, …; the one that is judged (the holdout) learns only from those that end
before T − W and is measured on [T − W, T). No window reaches past T.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.history import BOUGHT, LEVELS, History
from scoring.level import Level
from scoring.models import Floats, Ints
from scoring.models.affinity import Affinity, AffinityTrainer
from scoring.models.stacker import Stacker
from settings.workspace import ModelSettings

ALL_PAIRS = 1_000_000  # a level with fewer pairs than this is learned whole
NEGATIVES = 60_000  # drawn a window among the candidates that were not bought
REFINING_EPOCHS = 1  # of the affinity model, from one cut-off to the next
ANY = "any"  # the level with one target: buys anything at all

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Fitted:
    """Levels and stackers at one cut-off (hours): ready to score anyone for anything.

    ``levels``: item, brand, category and any. ``stackers[kind][level]``.
    """

    cutoff: int
    horizon_days: int
    levels: Mapping[str, Level]
    stackers: Mapping[int, Mapping[str, Stacker]]

    def probability(self, level: str, customer: Ints, target: Ints, kind: int = BOUGHT) -> Floats:
        """float32[n]: probability of each pair within the horizon. Memory is bounded by chunks."""
        out = np.empty(len(customer), dtype=np.float32)
        for begin in range(0, len(customer), 250_000):
            part = slice(begin, begin + 250_000)
            described = self.levels[level].describe(customer[part], target[part])
            out[part] = self.stackers[kind][level].probability(described)
        return out


@dataclass(frozen=True)
class Rows:
    """Training rows of one window: ``x`` float32[n, k], ``y`` bool[n], ``weight`` float32[n]."""

    x: Floats
    y: NDArray[np.bool_]
    weight: Floats


def train(
    history: History,
    cutoff: int,
    kinds: tuple[int, ...],
    settings: ModelSettings,
    progress: Progress,
) -> tuple[Fitted, Fitted]:
    """(tonight at ``cutoff``, holdout at cutoff − one window)."""
    window = settings.horizon_days * 24
    cutoffs = [cutoff - k * window for k in range(settings.training_windows, -1, -1)]
    affinities = _affinities(history, cutoffs, settings, progress)
    names = (*LEVELS, ANY)
    total, done = len(names) * (len(cutoffs) + 2 * len(kinds)), 0
    levels: dict[int, dict[str, Level]] = {}
    rows: dict[tuple[int, str], list[Rows]] = {(kind, n): [] for kind in kinds for n in names}
    for index, moment in enumerate(cutoffs):
        levels = {k: v for k, v in levels.items() if k == cutoff - window}
        levels[moment] = {}
        for number, name in enumerate(names):
            level = fit_level(history, name, moment, affinities[moment])
            levels[moment][name] = level
            for kind in kinds if moment < cutoff else ():
                seed = (settings.seed, index, kind, number)
                rows[kind, name].append(training_rows(history, level, moment, window, kind, seed))
            progress("train", done := done + 1, total)
    tonight: dict[int, dict[str, Stacker]] = {kind: {} for kind in kinds}
    holdout: dict[int, dict[str, Stacker]] = {kind: {} for kind in kinds}
    for kind, name in list(rows):
        windows = rows.pop((kind, name))
        tonight[kind][name] = fit_stacker(windows, settings.seed)
        holdout[kind][name] = fit_stacker(windows[:-1], settings.seed)
        progress("train", done := done + 2, total)
    return (
        Fitted(cutoff, settings.horizon_days, levels[cutoff], tonight),
        Fitted(cutoff - window, settings.horizon_days, levels[cutoff - window], holdout),
    )


def fit_level(history: History, name: str, cutoff: int, affinity: Affinity) -> Level:
    """The named level at a cut-off; ``any`` groups all items into one target."""
    if name == ANY:
        everything = np.zeros(history.catalogue.n_items, dtype=np.int32)
        return Level.fit_group(history, everything, cutoff)
    return Level.fit(history, name, cutoff, affinity)


def training_rows(
    history: History, level: Level, cutoff: int, window: int, kind: int, seed: tuple[int, ...]
) -> Rows:
    """The candidates of the cut-off: all who bought in the window, a weighted draw of the others.

    A row's weight is the number of pairs that it stands for, so that the output is a probability.
    A level with few pairs takes all of them instead of candidates.
    """
    rng = np.random.default_rng(seed)
    known = history.known_customers(cutoff)
    bought = history.labels(level.of_item, level.n_targets, cutoff, cutoff + window, kind)
    bought = bought[known[bought // level.n_targets]]
    if history.n_customers * level.n_targets <= ALL_PAIRS:
        key = np.flatnonzero(np.repeat(known, level.n_targets)).astype(np.int64)
    else:
        customer, target = level.candidates()
        key = (customer.astype(np.int64) * level.n_targets + target)[known[customer]]
        bought = np.intersect1d(bought, key, assume_unique=True)
    negatives = np.setdiff1d(key, bought, assume_unique=True)
    drawn = negatives
    if len(negatives) > NEGATIVES:
        drawn = np.sort(rng.choice(negatives, NEGATIVES, replace=False))
    key = np.concatenate([bought, drawn])
    y = np.arange(len(key)) < len(bought)
    weight = np.where(y, 1.0, len(negatives) / max(len(drawn), 1))
    customer = (key // level.n_targets).astype(np.int32)
    x = level.describe(customer, (key % level.n_targets).astype(np.int32))
    return Rows(x, y, weight.astype(np.float32))


def fit_stacker(windows: list[Rows], seed: int) -> Stacker:
    if not windows:
        return Stacker.constant(0.0)
    parts = [np.concatenate([getattr(w, name) for w in windows]) for name in ("x", "y", "weight")]
    return Stacker.fit(parts[0], parts[1], parts[2], seed=seed)


def _affinities(
    history: History, cutoffs: list[int], settings: ModelSettings, progress: Progress
) -> dict[int, Affinity]:
    trainer = AffinityTrainer(
        history, cutoffs[0], components=settings.affinity_components, seed=settings.seed
    )
    affinities = {}
    for index, cutoff in enumerate(cutoffs):
        epochs = REFINING_EPOCHS if index else settings.affinity_epochs
        affinities[cutoff] = trainer.advance(cutoff, epochs)
        progress("affinity", index + 1, len(cutoffs))
    return affinities
