"""An import that is killed at any moment and run again leaves the same lake as an undisturbed
one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scoring.delta import Delta
from scoring.imported_files import ImportedFiles
from scoring.importing import import_sources
from scoring.lake import Lake
from scoring.quarantine import Quarantine
from scoring.sources import groups
from settings.workspace import ColumnMapping, WorkspaceSettings
from tests.scoring.shop import HEADER, NOW, content, events_source, line, quarantined, workspace

FILES, LINES = 6, 4000
MAIN = "import sys; from tests.scoring.test_importing_killed import main; main(sys.argv[1])"


def shop(folder: Path) -> WorkspaceSettings:
    products = events_source(
        "items.csv", name="items", table="items",
        columns={"item_id": ColumnMapping(column="sku"), "name": ColumnMapping(column="title")},
    )  # fmt: skip
    return workspace(folder, events_source("d"), products)


def main(folder: str) -> None:
    """What the killed process runs: a commit for each file."""
    groups.GROUP_ROWS = LINES
    import_sources(shop(Path(folder)), Path(folder) / "state", now=NOW)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six files of 4,000 lines over three days; every tenth line is a copy or bad."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "d").mkdir()
    for number in range(FILES):
        lines = []
        for i in range(LINES):
            when = f"2026-03-0{1 + i % 3}T10:00:00Z"
            id_ = number * LINES + i if i % 20 else i % 400  # a copy, or a conflict on another day
            lines.append(line(id_, when=when if i % 30 else "noon", n=1 + (i % 7 == 0)))
        path = folder / "d" / f"{number}.csv"
        path.write_text(HEADER + "".join(lines))
        os.utime(path, (1_700_000_000 + number,) * 2)
    (folder / "items.csv").write_text(
        "sku,title\n" + "".join(f"i{i},Item {i}\n" for i in range(500))
    )
    return folder


def state_of(folder: Path) -> tuple[object, ...]:
    lake = Lake(folder / "state" / "lake")
    items = lake.items().order_by("item_id").to_pyarrow().to_pylist()
    return content(lake), items, sorted(quarantined(folder / "state"))


def in_folder(sources: Path, folder: Path) -> Path:
    """A workspace of its own over the same files."""
    for name in ("d", "items.csv"):
        (folder / name).symlink_to(sources / name)
    return folder


@pytest.fixture(scope="module")
def undisturbed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    folder = in_folder(sources, tmp_path_factory.mktemp("undisturbed"))
    main(str(folder))
    return state_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments(
    sources: Path, undisturbed: tuple[object, ...], tmp_path: Path, seed: int
) -> None:
    """SIGKILL as soon as a random number of files stands in the state folder, several times."""
    folder, chance = in_folder(sources, tmp_path), random.Random(seed)
    state = folder / "state"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", MAIN, str(folder)])
        patience = len(list(state.rglob("*"))) + chance.randrange(1, 12)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(list(state.rglob("*"))) < patience:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
        process.wait()
    main(str(folder))
    assert state_of(folder) == undisturbed


class Killed(BaseException):
    """The process ends here: nothing after it runs, nobody catches it."""


STEPS = [
    (Delta, "commit"), (Delta, "_write"), (Quarantine, "add"), (Quarantine, "forget"),
    (ImportedFiles, "finish"), (Lake, "append_events"), (Lake, "upsert"), (Lake, "compact"),
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[f"{o.__name__}.{s}" for o, s in STEPS])
def test_ended_before_or_after_each_step(
    sources: Path,
    undisturbed: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    after: bool,
) -> None:
    folder, calls = in_folder(sources, tmp_path), iter(range(1000))
    original = getattr(owner, step)

    def dying(*args: object, **kwargs: object) -> object:
        last = next(calls) == (0 if step in ("upsert", "compact", "forget") else 2)
        if last and not after:
            raise Killed
        result = original(*args, **kwargs)
        if last:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, dying)
        with pytest.raises(Killed):
            main(str(folder))
    main(str(folder))
    assert state_of(folder) == undisturbed


def test_a_reader_during_the_import_sees_whole_batches(sources: Path, tmp_path: Path) -> None:
    """Rows of one file appear together: the reader polls while another process imports."""
    folder = in_folder(sources, tmp_path)
    lake = Lake(folder / "state" / "lake")
    before = datetime(2100, 1, 1, tzinfo=UTC)
    process = subprocess.Popen([sys.executable, "-c", MAIN, str(folder)])
    counts = set()
    while process.poll() is None:
        counts.add(lake.events(before=before).count().to_pyarrow().as_py())
    assert process.returncode == 0
    counts.add(lake.events(before=before).count().to_pyarrow().as_py())
    whole, last = {0}, 0
    for file in range(FILES):
        fresh = {row["event_id"] for row in content(lake) if _file_of(row["event_id"]) == file}
        last += len(fresh)
        whole.add(last)
    assert counts <= whole


def _file_of(event_id: str) -> int:
    return int(event_id) // LINES
