"""Exactly once, whatever dies: a run appears whole, nothing booked is lost, nobody comes twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import orjson
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import Retry, Stop
from connectors.files.layout import Layout
from connectors.files.runs import Runs
from connectors.files.store import Store, open_store
from tests.connectors.files.conftest import Exports
from tests.connectors.files.reading import held, run_rows, runs_in

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LAYOUT = Layout(("a", "b"), frozenset(), False, "ndjson", 10_000, True)


class CrashError(BaseException):
    """The process dies here."""


class Dying(LocalFileSystem):
    """A local folder whose process dies before its ``left``-th step."""

    cachable = False
    left = -1

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise CrashError

    def mv(self, *args: Any, **kwargs: Any) -> Any:
        self._step()
        return super().mv(*args, **kwargs)

    def rm(self, *args: Any, **kwargs: Any) -> Any:
        self._step()
        return super().rm(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> Any:
        self._step()
        return super().open(*args, **kwargs)


def lines(**changes: dict[str, Any]) -> list[bytes]:
    return [orjson.dumps([customer_id, change]) for customer_id, change in changes.items()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path), {})


def runs(store: Store, layout: Layout = LAYOUT) -> Runs:
    return Runs(store, "attributes", layout, lambda: NOW)


def appeared(store: Store) -> list[list[dict[str, Any]]]:
    return [run_rows(run) for run in runs_in(Path(store.root) / "attributes")]


def test_nothing_is_seen_before_the_run_is_whole(store: Store) -> None:
    run = runs(store)
    run.append(lines(c1={"a": 1}))
    assert appeared(store) == []
    run.append(lines(c2={"a": 2}))
    run.publish()
    assert appeared(store) == [[{"customer_id": "c1", "a": 1}, {"customer_id": "c2", "a": 2}]]


def test_a_request_that_was_sent_again_leaves_one_row(store: Store) -> None:
    run = runs(store)
    run.append(lines(c1={"a": 1}, c2={"a": 2}))
    run.append(lines(c2={"a": 2}, c3={"a": 3}))
    run.publish()
    assert [row["customer_id"] for row in appeared(store)[0]] == ["c1", "c2", "c3"]


def test_a_run_that_died_is_gone_on_with(store: Store) -> None:
    dead = runs(store)
    dead.append(lines(c1={"a": 1, "b": 1}, c2={"a": 2}))
    dead._claim.give_back()  # as the kernel does
    again = runs(store)
    again.append(lines(c1={"a": 9}, c2={"a": None}))
    again.publish()
    assert appeared(store) == [
        [{"customer_id": "c1", "a": 9, "b": 1}, {"customer_id": "c2", "removed": ["a"]}]
    ]


def test_what_a_dead_process_left_appears_though_there_is_nothing_new(store: Store) -> None:
    dead = runs(store)
    dead.append(lines(c1={"a": 1}))
    dead._claim.give_back()
    runs(store).publish()
    assert len(appeared(store)) == 1


def test_what_another_process_is_making_is_left_alone(store: Store) -> None:
    busy = runs(store)
    busy.append(lines(c1={"a": 1}))
    runs(store).publish()
    assert appeared(store) == []
    busy.publish()
    assert len(appeared(store)) == 1


def test_a_clock_that_went_back_does_not_upset_the_order(store: Store) -> None:
    for hour, value in ((5, 1), (3, 2)):
        run = Runs(store, "attributes", LAYOUT, lambda hour=hour: NOW.replace(hour=hour))
        run.append(lines(c1={"a": value}))
        run.publish()
    assert [rows[0]["a"] for rows in appeared(store)] == [1, 2]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("step", range(1, 26))
def test_it_may_die_at_any_step(tmp_path: Path, step: int, full: bool) -> None:
    fs = Dying()
    store = Store(fs, str(tmp_path), True)
    layout = replace(LAYOUT, full=full)
    first = runs(store, layout)
    first.append(lines(c1={"a": 1}, c2={"a": 1}))
    first.publish()
    booked = False
    dying = runs(store, layout)
    fs.left = step
    try:
        dying.append(lines(c1={"a": 2}, c3={"a": 3}))
        booked = True
        dying.publish()
    except CrashError:
        pass
    finally:
        fs.left = -1
        dying._claim.give_back()
    again = runs(store, layout)
    if not booked:
        again.append(lines(c1={"a": 2}, c3={"a": 3}))
    again.publish()
    expected = [{"customer_id": "c1", "a": 2}, {"customer_id": "c3", "a": 3}]
    if full:
        expected.insert(1, {"customer_id": "c2", "a": 1})
    assert appeared(store)[1:] == [expected]
    last = runs(store, layout)
    last.append(lines(c4={"a": 4}))
    last.publish()
    assert len(appeared(store)) == 3
    assert len(appeared(store)[-1]) == (4 if full else 1)


CHANGES = st.dictionaries(
    st.sampled_from(["c1", "c2", "c3"]),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 3) | st.none(), min_size=1),
    min_size=1,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CHANGES, st.booleans()), min_size=1, max_size=8), st.booleans())
def test_whatever_is_written_and_whenever_a_run_ends_the_state_is_right(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], full: bool
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("out")), {})
    layout = replace(LAYOUT, full=full)
    run = runs(store, layout)
    expected: dict[str, dict[str, Any]] = {}
    for changes, ends in steps:
        run.append(lines(**changes))
        for customer_id, change in changes.items():
            expected.setdefault(customer_id, {}).update(change)
        if ends:
            run.publish()
            run = runs(store, layout)
    run.publish()
    without = {c: {n: v for n, v in s.items() if v is not None} for c, s in expected.items()}
    assert held(Path(store.root)) == {c: s for c, s in without.items() if s}


@pytest.fixture
def bucket() -> Iterator[Store]:
    fs = fsspec.filesystem("memory")
    yield Store(fs, "/bucket", local=False)
    fs.rm("/bucket", recursive=True)


def test_in_object_storage_the_manifest_comes_last(
    bucket: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[str] = []
    pipe = bucket.fs.pipe_file
    monkeypatch.setattr(bucket.fs, "pipe_file", lambda path, c: (put.append(path), pipe(path, c)))
    run = runs(bucket)
    run.append(lines(c1={"a": 1}))
    run.publish()
    assert [path.rpartition("/")[2] for path in put] == [
        "00000001.ndjson", "part-00001.ndjson", "manifest.json", "latest.json",
    ]  # fmt: skip
    assert bucket.names("attributes") == ["20261122T030000.000000Z", "latest.json"]


def test_in_object_storage_half_a_run_is_made_anew(bucket: Store) -> None:
    dead = runs(bucket)
    dead.append(lines(c1={"a": 1}))
    dead._claim.give_back()
    bucket.put(f"attributes/{dead._run}/part-00009.ndjson", b"half")
    runs(bucket).publish()
    assert bucket.names(f"attributes/{dead._run}") == ["manifest.json", "part-00001.ndjson"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PermissionError(13, "Permission denied"), Stop), (OSError(28, "No space left"), Stop),
     (FileNotFoundError(2, "no bucket"), Stop), (TimeoutError("slow"), Retry),
     (OSError(5, "Input/output error"), Retry), (ConnectionResetError(104, "reset"), Retry)],
)  # fmt: skip
def test_bad_input_what_goes_wrong_says_where_and_what_to_do(
    bucket: Store, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch, pytest.raises(kind, match="/bucket: "):
        patch.setattr(bucket.fs, "pipe_file", fail)
        bucket.put("x", b"")
    bucket.put("x", b"")


def test_a_sync_that_could_not_be_published_says_so_and_the_next_one_publishes(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.customers(3)
    with monkeypatch.context() as patch, pytest.raises(Stop, match="No space left"):

        def full_disk(self: Store, *_: str) -> None:
            raise Stop("No space left")

        patch.setattr(Store, "rename", full_disk)
        exports.sync()
    assert held(exports.out) == {}
    assert exports.sync().changed == 0
    assert len(held(exports.out)) == 3


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"run": "../../elsewhere"}', b'{"run": null}']
)
def test_bad_input_a_damaged_name_of_the_newest_run_is_told(store: Store, content: bytes) -> None:
    full = replace(LAYOUT, full=True)
    run = runs(store, full)
    run.append(lines(c1={"a": 1}))
    run.publish()
    store.put("attributes/latest.json", content)
    run.append(lines(c2={"a": 2}))
    with pytest.raises(Stop, match=r"latest\.json does not name a run: put it right"):
        run.publish()


@pytest.mark.parametrize("damage", [lambda _: b"junk", lambda content: content[:-12]])
def test_bad_input_a_damaged_full_run_is_told(
    store: Store, damage: Callable[[bytes], bytes]
) -> None:
    full = replace(LAYOUT, full=True)
    run = runs(store, full)
    run.append(lines(c1={"a": 1}))
    run.publish()
    (state,) = Path(store.root).rglob("_state*")
    state.write_bytes(damage(state.read_bytes()))
    run.append(lines(c2={"a": 2}))
    with pytest.raises(Stop, match=r"_state\.ndjson\.gz is damaged: put it back"):
        run.publish()


@pytest.mark.parametrize("content", [b"junk", b"[1, {}]", b'["c1", []]', b'["c1"]'])
def test_bad_input_a_damaged_journal_is_told(store: Store, content: bytes) -> None:
    store.put("attributes/_open-20261122T010000.000000Z/00000001.ndjson", content)
    with pytest.raises(Stop, match=r"00000001\.ndjson is damaged"):
        runs(store).publish()


@pytest.mark.parametrize("name", ["_open-", "_open-..", "_open-draft"])
def test_bad_input_a_folder_that_is_no_journal_of_ours_is_left_alone(
    store: Store, name: str
) -> None:
    store.put("kept.txt", b"")
    store.put(f"attributes/{name}/draft.txt", b"")
    run = runs(store)
    run.append(lines(c1={"a": 1}))
    run.publish()
    there = {str(path.relative_to(store.root)) for path in Path(store.root).rglob("*.txt")}
    assert there == {"kept.txt", f"attributes/{name}/draft.txt"}
    assert appeared(store) == [[{"customer_id": "c1", "a": 1}]]


def test_bad_input_no_room_for_temporary_files_is_told_and_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = runs(store)
    run.append(lines(c1={"a": 1}))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(Stop, match="folder for temporary files cannot be used"):
        run.publish()
    with pytest.raises(Stop, match="No such file or directory"):
        runs(store).append(lines(c2={"a": 2}))
    monkeypatch.undo()
    runs(store).publish()
    assert appeared(store) == [[{"customer_id": "c1", "a": 1}]]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_whole_numbers_beyond_a_floats_digits_do_not_stop_the_files(
    store: Store, form: str
) -> None:
    run = runs(store, replace(LAYOUT, format=form))
    run.append(lines(c1={"a": 2**53 + 1}))
    run.publish()
    (rows,) = appeared(store)
    assert rows[0]["a"] == pytest.approx(2**53)
