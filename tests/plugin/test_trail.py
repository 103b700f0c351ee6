"""The audit trail: only appended to, chained, and of nobody in clear."""

from __future__ import annotations

import json
import multiprocessing
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin import trail as module
from plugin.trail import Trail
from settings.secret import Secret

SECRET = b"a secret of thirty-two bytes ...."
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return Trail(tmp_path, SECRET, now=lambda: NOON)


def write(trail: Trail, number: int, start: int = 0) -> None:
    for each in range(start, start + number):
        trail.note("key:3f9a1c07", "segment.created", "queued", {"segment": f"s{each}"})


def files(folder: Path) -> list[Path]:
    return sorted((folder / "audit").glob("*.ndjson"))


def test_a_record_says_who_when_what_and_what_came_of_it(trail):
    trail.note("user:mina", "key.revoked", "done", {"key": "3f9a1c07"})
    (record,) = trail.newest(10)
    assert (record["seq"], record["who"], record["act"]) == (1, "user:mina", "key.revoked")
    assert record["at"] == "2026-03-01T12:00:00.000+00:00"
    assert (record["outcome"], record["about"]) == ("done", {"key": "3f9a1c07"})


def test_records_come_newest_first_page_by_page_over_several_files(trail, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 2_000)
    write(trail, 50)
    assert len(files(tmp_path)) > 3
    page = trail.newest(20)
    assert [record["seq"] for record in page] == list(range(50, 30, -1))
    rest = trail.newest(100, before=31)
    assert [record["seq"] for record in rest] == list(range(30, 0, -1))
    assert trail.verify().records == 50


def test_long_files_are_read_from_their_end(trail, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 100)  # shorter than a record
    write(trail, 30)
    assert [record["seq"] for record in trail.newest(30)] == list(range(30, 0, -1))


def test_the_files_are_private(trail, tmp_path):
    write(trail, 1)
    assert stat.S_IMODE(files(tmp_path)[0].stat().st_mode) == 0o600


def test_nothing_written_is_nothing_to_show_and_whole(trail):
    assert trail.newest(10) == []
    assert trail.verify().broken is None


def test_a_person_is_a_keyed_hash(trail, tmp_path):
    hidden = trail.person("mina@example.com")
    assert hidden == trail.person("mina@example.com") != trail.person("mina@example.org")
    elsewhere = Trail(tmp_path, b"another secret of 32 bytes ......")
    assert hidden != elsewhere.person("mina@example.com")


def _append(folder: Path) -> None:
    write(Trail(folder, SECRET), 20)


def test_processes_that_write_at_once_make_one_chain(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(tmp_path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = Trail(tmp_path, SECRET).verify()
    assert (found.records, found.broken) == (60, None)


def changed(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"s0"', b'"s9"'), *lines[1:]]


def removed(lines: list[bytes]) -> list[bytes]:
    return [lines[0], *lines[2:]]


def swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


def inserted(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[0], *lines[1:]]


def renumbered(lines: list[bytes]) -> list[bytes]:
    """The second record cut out and the third made to look like its successor, without the key."""
    record = json.loads(lines[2]) | {"seq": 2, "before": json.loads(lines[0])["hash"]}
    return [lines[0], json.dumps(record).encode()]


def damaged(lines: list[bytes]) -> list[bytes]:
    return [b"{", *lines[1:]]


@pytest.mark.parametrize("tamper", [changed, removed, swapped, inserted, renumbered, damaged])
def test_who_tampers_breaks_the_chain(trail, tmp_path, tamper):
    write(trail, 5)
    (file,) = files(tmp_path)
    file.write_bytes(b"\n".join(tamper(file.read_bytes().splitlines())) + b"\n")
    found = trail.verify()
    assert found.broken
    assert found.records < 5


def test_a_whole_file_removed_breaks_the_chain(trail, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 2_000)
    write(trail, 50)
    files(tmp_path)[0].unlink()
    assert trail.verify().broken


def test_records_cut_off_the_end_are_missed_by_a_hash_kept_elsewhere(trail, tmp_path):
    write(trail, 5)
    kept = trail.verify().newest
    assert trail.verify(kept).broken is None
    (file,) = files(tmp_path)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))
    assert trail.verify().broken is None
    assert kept in trail.verify(kept).broken


def test_a_chain_made_with_another_secret_is_not_ours(trail, tmp_path):
    write(Trail(tmp_path, b"another secret of 32 bytes ......"), 2)
    assert trail.verify().broken


def test_a_chain_goes_on_under_a_new_secret(trail, tmp_path):
    write(trail, 2)
    after = Trail(tmp_path, Secret(b"another secret of 32 bytes ......", [SECRET]))
    write(after, 2)
    assert (after.verify().records, after.verify().broken) == (4, None)


def test_after_a_torn_write_records_go_on_and_the_tear_is_told(trail, tmp_path):
    write(trail, 3)
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-20])
    write(trail, 1, start=9)
    assert trail.newest(1)[0]["about"] == {"segment": "s9"}
    assert trail.verify().broken


def test_a_trail_that_cannot_be_written_undoes_nothing(trail, tmp_path):
    (tmp_path / "audit").write_text("a file where a folder should be")
    record = trail.note("user:mina", "key.revoked", "done", {"key": "3f9a1c07"})
    assert "hash" not in record
    assert record["about"] == {"key": "3f9a1c07"}


def test_bad_input_an_act_that_is_not_listed(trail):
    with pytest.raises(ValueError, match=r"trail\.ACTS"):
        trail.note("user:mina", "coffee.made", "done", {})
