"""Syncs in processes of their own, to be killed.

They are forked from a server process that has loaded everything, so that one starts in
milliseconds; a sync in a child never sleeps, and its requests are small as in the parent.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from connectors.sandbox.client import Sandbox
from tests.connectors.double import AS_IT_IS, FEW, KEY, Double, FakeTime, take_fewer
from tests.connectors.doubles import DOUBLES, SPELLINGS, connector_of

PATIENCE_S = 30.0
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.connectors.children"])


def start(double: Double, *, workers: int = 1) -> BaseProcess:
    """Begin ``double.sync()`` in a child."""
    values = (double.name, double.url, double.folder, double.desired, workers)
    child = FORKS.Process(target=_sync, args=values, daemon=True)
    child.start()
    return child


def killed_while(double: Double, reached: Callable[[], bool], *, workers: int = 1) -> bool:
    """Sync in a child and kill it (SIGKILL) as soon as ``reached()``; False if it ended before."""
    child = start(double, workers=workers)
    deadline = monotonic() + PATIENCE_S
    killed = False
    while child.is_alive() and not killed:
        assert monotonic() < deadline, "the child neither ends nor gets there"
        if reached():
            child.kill()
            killed = True
    child.join()
    child.close()
    return killed


def _sync(
    name: str, url: str, folder: Path, desired: dict[str, dict[str, Any]], workers: int
) -> None:
    patch, time = pytest.MonkeyPatch(), FakeTime()
    connection = DOUBLES[name](url, patch)
    kind = connector_of(name)
    take_fewer(kind, FEW, patch, SPELLINGS.get(kind, AS_IT_IS))
    double = Double(connection, Sandbox(url, KEY), time, folder, url, name, desired=desired)
    double.sync(workers=workers)
