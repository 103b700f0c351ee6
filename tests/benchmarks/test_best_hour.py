"""What a best hour is worth, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.best_hour import OWN, RIGHTSEND, SHOP, _made, judged, rules, shares
from benchmarks.tasks.data import Data
from scoring.best_hour import Smoothing

CUTOFF = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_share_is_of_sessions_within_an_hour_around_the_clock() -> None:
    after = np.zeros((2, 24), dtype=np.int64)
    after[0, [23, 0, 1, 2]] = 1, 2, 3, 4
    after[1, [12, 22]] = 1, 1
    assert shares(np.array([0, 23], np.int8), after).tolist() == [0.6, 0.5]


def test_the_rules_differ_where_evidence_is_little() -> None:
    before = np.zeros((3, 24), dtype=np.uint16)
    before[0, 9] = before[1, 9] = 3000
    before[2, 20] = 300
    found = rules(before, Smoothing(5.0, None))
    assert found[SHOP].tolist() == [9, 9, 9]
    assert found[OWN].tolist() == [9, 9, 20]
    assert found[RIGHTSEND].tolist() == [9, 9, 9]


def test_sessions_after_the_cutoff_judge_and_those_before_are_learned_from(tmp_path: Path) -> None:
    morning = [("ada", CUTOFF + timedelta(days=day, hours=7, minutes=5), "view")
               for day in range(-9, 4)]  # fmt: skip
    evening = [("lee", CUTOFF + timedelta(days=day, hours=19, minutes=5), "open")
               for day in (*range(-9, 0), 1)]  # fmt: skip
    noon = [("lee", CUTOFF + timedelta(days=2, hours=12, minutes=5), "open")]
    moments = CUTOFF - timedelta(days=4), CUTOFF, CUTOFF + timedelta(days=4)
    shop = _made(Data(None, tmp_path), "shop", "UTC", [*morning, *evening, *noon], moments)
    figures = judged(shop)
    assert figures[f"all: {RIGHTSEND}"]["share"] == pytest.approx(0.75)  # all, and one of two
    assert figures[f"all: {OWN}"]["share"] == pytest.approx(0.75)
    assert figures[f"all: {SHOP}"]["share"] == pytest.approx(0.25)
    assert f"few: {RIGHTSEND}" not in figures
