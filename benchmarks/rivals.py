"""Models of others as rivals."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.tasks import Task
from scoring.backtest.targeting import Method


def of_task(task: Task) -> Mapping[str, Method]:
    return {}
