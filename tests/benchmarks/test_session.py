"""What a session is worth, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.session import (
    FOLDED,
    NIGHT,
    RECENT,
    Question,
    Questions,
    _asked_at,
    gains,
    interval,
    shown,
)
from plugin.content.session import WEIGHTS
from scoring.store.recent_record import RecentEvent

OWN = [(item, 0.5 / (1 + item), ()) for item in range(12)]
NUMBER = {str(item): item for item in range(20)}


def asked(goal: int, *looked: int, keeps: bool = True) -> Questions:
    recent = tuple(RecentEvent("view", str(item), 1000 - n) for n, item in enumerate(looked))
    together = {15: [(3, 0.4)]}
    one = Question(7, OWN, recent, goal)
    return Questions([one], {}, together, [0.01] * 20, [-1] * 20, NUMBER, keeps)


def test_the_night_alone_shows_its_first_ten() -> None:
    questions = asked(3, 15)
    assert shown(questions, questions.asked[0], NIGHT, WEIGHTS) == list(range(10))


def test_the_session_brings_up_what_was_looked_at_and_what_goes_with_it() -> None:
    questions = asked(3, 15)
    before = shown(questions, questions.asked[0], NIGHT, WEIGHTS)
    after = shown(questions, questions.asked[0], FOLDED, WEIGHTS)
    assert after.index(3) < before.index(3)
    assert 15 in after
    assert shown(questions, questions.asked[0], RECENT, WEIGHTS)[0] == 15


def test_what_lies_in_the_cart_is_not_shown_where_it_is_not_asked_for() -> None:
    questions = asked(3, 0, keeps=False)
    for method in (NIGHT, FOLDED):
        assert 0 not in shown(questions, questions.asked[0], method, WEIGHTS)


def test_a_hit_gains_by_its_place_and_a_touched_goal_is_not_new() -> None:
    (row,) = gains([asked(1, 15)], NIGHT, WEIGHTS)
    assert row.tolist() == [7, 1, 1, pytest.approx(1 / np.log2(3))]
    assert gains([asked(15, 15)], NIGHT, WEIGHTS)[0].tolist() == [7, 0, 0, 0]


def test_a_days_clicks_ask_once_and_each_purchase_asks() -> None:
    day = [(n, kind, "i") for n, kind in enumerate(["pv", "pv", "buy", "pv", "buy"])]
    assert _asked_at(day, "pv") == [1]
    assert _asked_at(day, "buy") == [2, 4]


def test_an_interval_holds_what_customers_drawn_anew_would_show() -> None:
    difference = np.array([0.1, 0.3] * 50)
    low, high = interval(difference, np.arange(100))
    assert low < 0.2 < high
    assert interval(np.zeros(4), np.zeros(4)) == (0.0, 0.0)
