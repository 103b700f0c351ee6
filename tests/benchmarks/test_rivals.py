"""Rivals on a checkerboard, whose right answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("implicit", reason="pip install -e '.[benchmarks]'")

from benchmarks.rivals import CHOSEN, MODELS, collaborative, of_task
from benchmarks.rivals.events import weighted_events
from benchmarks.tasks import RANKING, TARGETING
from scoring.backtest.targeting import Panel, observe
from scoring.history import ENGAGED, History
from tests.scoring.histories import (
    CUTOFF,
    bought,
    checkerboard,
    days_ago,
    make,
    with_another_future,
)

SMALL: dict[str, dict[str, Any]] = {
    "EASE": {"ridge": 1.0},
    "EASE, decayed": {"ridge": 1.0, "half_life_days": 90.0},
    "ALS (implicit)": {"factors": 4, "regularization": 0.1, "alpha": 5.0},
    "user-kNN": {"half_life_days": 90.0, "neighbours": 5},
    "personal + kNN": {"half_life_days": 90.0, "neighbours": 5, "own": 0.5},
    "LightFM WARP": {"components": 4, "epochs": 40},
}


def panel_of(history: History) -> Panel:
    return observe(history, "item", CUTOFF, 168, min_buyers=0).panel


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_finds_the_block_of_those_who_did_not_buy_yet(name: str) -> None:
    panel = panel_of(checkerboard())
    scores = collaborative.targeting(MODELS[name], **SMALL[name])(panel)
    target, customer = np.indices(panel.shape)
    own = (target % 2) == (customer % 2)
    new = panel.dense(panel.view(), np.ones(len(panel.view().pair))) == 0
    assert scores.shape == panel.shape
    assert np.median(scores[own & new]) > np.quantile(scores[~own], 0.9)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_never_sees_what_comes_after(name: str) -> None:
    method = collaborative.targeting(MODELS[name], **SMALL[name])
    history = checkerboard()
    one, other = (method(panel_of(h)) for h in (history, with_another_future(history, CUTOFF)))
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_ranks_items_too(name: str) -> None:
    panel = panel_of(checkerboard())
    score = collaborative.ranking(MODELS[name], **SMALL[name])(panel)
    assert score(np.array([3, 0], np.int32)).shape == (2, panel.n_targets)


def test_every_task_has_its_rivals() -> None:
    for name in TARGETING:
        assert of_task(TARGETING[name])
    assert set(RANKING) <= set(CHOSEN)
    assert "weighted events" in of_task(TARGETING["taobao_category"])


def test_weighted_events_fade_and_goals_count_more_than_views() -> None:
    rows = [*bought(0, 0, 4), *bought(1, 0, 1), *bought(3, 1, 1)]
    rows += [(2, 0, days_ago(1), ENGAGED)]
    panel = panel_of(make(rows, customers=4, items=2))
    score = weighted_events(panel, half_life_days=2.0, goal_weight=3.0)[0]
    assert np.argsort(-score).tolist() == [1, 0, 2, 3]


def test_bad_input_a_target_without_support_is_the_same_to_everybody() -> None:
    panel = panel_of(make(bought(0, 0, 1), customers=5, items=1))
    for name in ("user-kNN", "EASE"):
        assert not collaborative.targeting(MODELS[name], **SMALL[name])(panel).any()
