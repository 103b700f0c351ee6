"""The benchmark of the intake, small: real processes, killed; nothing is lost or there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.events import durability


@pytest.mark.slow
def test_acknowledged_events_are_in_the_lake_once_whoever_dies(tmp_path: Path) -> None:
    found = durability.measure(tmp_path, events=20_000, kill_every_s=1.0, seed=2)
    assert (found.acknowledged, found.in_lake) == (20_000, 20_000)
    assert (found.lost, found.duplicates) == (0, 0)
