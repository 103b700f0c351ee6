"""What a scorer brings, in a shop made up here."""

from __future__ import annotations

from pathlib import Path

from benchmarks.ablation import MEASURES, SCORERS, run
from benchmarks.targeting import short
from benchmarks.tasks import Data, Task
from scoring.history import LEVELS
from scoring.level import Level
from tests.scoring.conftest import Trained, quick_trees, trained  # noqa: F401  a fixture
from tests.shop import NOW_HOUR

WEEK = 7 * 24


def test_only_scorers_that_the_level_has_are_left_out(
    trained: Trained,  # noqa: F811
) -> None:
    past = trained.past
    task = Task("shop", lambda _data, _cutoff: past, "category", NOW_HOUR, WEEK, min_buyers=5)
    data = Data(None, Path())
    with quick_trees(3):
        found = run(task, data, ["ease", "content", "kind"])
    assert list(found) == ["ease"]
    assert set(found["ease"]) == {short(measure) for measure in MEASURES}
    lift = found["ease"][short(MEASURES[0])]
    assert lift["low"] <= lift["brings"] <= lift["high"]


def test_every_scorer_that_can_be_left_out_is_known_to_some_level(
    trained: Trained,  # noqa: F811
) -> None:
    levels: list[Level] = [trained.tonight.levels[name] for name in LEVELS]
    known = {name for level in levels for name in (*level.scorers, *level.parents)}
    assert set(SCORERS) <= known
