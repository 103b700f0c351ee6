"""Whole nights of a small shop, as the command line runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rightsend import publishing
from rightsend.context import REDIS_VARIABLE, Context
from rightsend.store_process import embedded_store
from scoring.store.client import connect
from scoring.store.errors import StoreUnavailable
from scoring.store.read import Reader
from tests.rightsend import shop
from tests.rightsend.waiting import until

pytestmark = pytest.mark.slow
STEPS = (
    "import", "identity", "features", "train", "backtest", "gate", "score", "publish", "sync",
)  # fmt: skip

# `rightsend`, ended by SIGKILL when the given step has done its work but not said so
KILLED = """
import os, signal, sys
from rightsend import cli
from scoring import run_log
fatal, step = sys.argv.pop(1), run_log.Run.step
def killing(self, name, work):
    def half(folder):
        work(folder)
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, name, half if name == fatal else work)
run_log.Run.step = killing
cli.main()
"""


class Installation:
    """A small shop and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.config = shop.write(folder / "shop", customers=40, days=120, more="")
        self.state = folder / "state"
        self.workspace_dir = self.state / "workspaces" / "shop"

    def start(self, *words: str, killed_at: str = "") -> subprocess.Popen[bytes]:
        where = ["--config", str(self.config), "--state", str(self.state)]
        program = ["-c", KILLED, killed_at] if killed_at else ["-m", "rightsend.cli"]
        return subprocess.Popen(
            [sys.executable, *program, *words, *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def die(self, run_id: str, step: str) -> None:
        """A night that is killed at a step."""
        night = self.start("nightly", "--run", run_id, killed_at=step)
        _, error = night.communicate(timeout=300)
        assert night.returncode == -signal.SIGKILL, error.decode()

    def run(self, *words: str) -> bytes:
        process = self.start(*words)
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error.decode()
        return out

    def exports(self) -> list[bytes]:
        kinds = ("customers", "items", "brands", "categories")
        return [self.run("export", "--kind", kind) for kind in kinds]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation after one night."""
    made = Installation(tmp_path_factory.mktemp("undisturbed"))
    made.run("nightly", "--run", "first", "--json")
    return made


class Polling:
    """Reads as a content call does, over and over; notes every snapshot that it saw."""

    def __init__(self, url: str, secret: bytes) -> None:
        self.seen: list[str] = []
        self.problems: list[str] = []
        self._reader = Reader(connect(url), "shop", secret)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def _poll(self) -> None:
        while not self._over.is_set():
            try:
                reading = self._reader.read("c01")
            except StoreUnavailable as error:
                self.problems.append(str(error))
                continue
            if self.seen[-1:] != [reading.snapshot]:
                self.seen.append(reading.snapshot)
            if not reading.customer_known:
                self.problems.append("a known customer was unknown")

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """Another installation of the same shop whose store stays up, with its URL."""
    made = Installation(tmp_path)
    with embedded_store(made.state) as url:
        monkeypatch.setenv(REDIS_VARIABLE, url)
        yield made, url


def test_a_night_killed_at_every_step_ends_like_an_undisturbed_one(
    disturbed, undisturbed: Installation, monkeypatch
) -> None:
    installation, _ = disturbed
    for step in STEPS:
        installation.die("first", step)
    installation.run("nightly", "--run", "first")
    runs = json.loads(installation.run("runs", "list", "--json"))["runs"]
    assert [run["state"] for run in runs] == ["done"]
    monkeypatch.delenv(REDIS_VARIABLE)
    assert installation.exports() == undisturbed.exports()


def test_readers_see_the_old_snapshot_or_the_new_one_while_nights_are_killed(disturbed) -> None:
    installation, url = disturbed
    installation.run("nightly", "--run", "first")
    context = Context.load(installation.config, installation.state)
    polling = Polling(url, context.secret)
    until(lambda: polling.seen == ["first"])
    try:
        for step in ("score", "publish", "sync"):
            installation.die("second", step)
        installation.run("nightly", "--run", "second")
        until(lambda: polling.seen[-1] == "second")
    finally:
        polling.end()
    assert polling.seen == ["first", "second"]
    assert polling.problems == []
    installation.run("rollback")
    active = publishing.publisher_of(context, context.workspace()).active()
    assert active is not None
    assert active.snapshot == "first"


def test_a_segment_made_on_the_command_line_is_exported_best_first(
    undisturbed: Installation,
) -> None:
    words = ("--category", "tea", "--share", "0.25", "--holdout-share", "0.2", "--json")
    made = json.loads(undisturbed.run("segment", "create", *words))
    lines = undisturbed.run("segment", "export", made["id"]).decode().splitlines()
    ranks = [int(line.split(",")[1]) for line in lines[1:]]
    assert len(ranks) == made["count"] == 10
    assert ranks == sorted(ranks)
    listed = json.loads(undisturbed.run("segment", "list", "--json"))["segments"]
    assert [segment["id"] for segment in listed] == [made["id"]]


def test_the_backtest_judges_by_what_came_after(undisturbed: Installation) -> None:
    report = json.loads(undisturbed.run("backtest", "--json"))
    assert report["cutoff"].startswith("2026-03-01T00:00")
    assert report["levels"]["category"]["methods"]["model"]["lift@20"]["mean"] > 1.5


def test_bad_input_a_category_that_the_shop_does_not_have(undisturbed: Installation) -> None:
    process = undisturbed.start("segment", "create", "--category", "shoes", "--count", "5")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"not in the catalogue: category 'shoes'" in error


def test_bad_input_a_shop_without_purchases_says_so(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    orders = installation.config.parent / "orders.csv"
    orders.write_text(orders.read_text().splitlines()[0] + "\n")
    process = installation.start("nightly")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"has no purchase before" in error
    assert b"Traceback" not in error
