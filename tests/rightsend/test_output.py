"""Where exports go: a file that is whole or not there, or a device that stays one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rightsend.commands.output import target
from rightsend.errors import RightsendError


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with target(path) as out:
        out.write(b"a")
        assert not path.exists()
    assert path.read_bytes() == b"a"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_fault_half_an_export_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")

    def broken() -> None:
        with target(path) as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    path, heard = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: heard.append(path.read_bytes()))
    reader.start()
    with target(path) as out:
        out.write(b"a")
    reader.join(timeout=10)
    assert heard == [b"a"]
    assert path.is_fifo()


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with target(tmp_path / "link") as out:
        out.write(b"a")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("name", "reason"), [("no/such/out.csv", "No such file"), (".", "Is a directory")]
)
def test_bad_input_a_place_that_is_none_is_one_sentence(
    tmp_path: Path, name: str, reason: str
) -> None:
    with (
        pytest.raises(RightsendError, match=f"cannot be written: {reason}"),
        target(tmp_path / name),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs Linux's full device")
def test_fault_a_full_disk_is_one_sentence() -> None:
    with pytest.raises(RightsendError, match="No space left"), target(Path("/dev/full")) as out:
        out.write(b"a" * 100_000)
    assert Path("/dev/full").is_char_device()


def test_fault_a_file_that_is_read_for_it_is_not_called_the_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"targets\.txt"), target(tmp_path / "out"):
        (tmp_path / "targets.txt").read_bytes()
    assert list(tmp_path.iterdir()) == []
