from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.ledger import Ledger, _change, canonical
from connectors.delivery.packing import Record
from connectors.errors import Stop

VALUES = st.one_of(st.integers(0, 3), st.lists(st.sampled_from("ab"), max_size=2))
STATES = st.dictionaries(st.sampled_from("xyz"), VALUES)


def record(customer_id: str, state: dict[str, object]) -> Record:
    return Record(customer_id, tuple(state), canonical(state), b"{}")


def ledger(folder: Path, space: str = "attributes") -> Ledger:
    return Ledger(folder / "state.sqlite", folder / "scratch", space)


@given(STATES, STATES, st.sets(st.sampled_from("xyz")))
def test_applying_a_change_to_what_is_held_gives_what_is_desired(
    desired: dict[str, object], accepted: dict[str, object], doubtful: set[str]
) -> None:
    change = _change(desired, accepted, sorted(doubtful))
    held = {**accepted, **dict.fromkeys(doubtful, "whatever")}
    held.update(change)
    assert {name: value for name, value in held.items() if value is not None} == desired
    same = {name for name in desired if accepted.get(name) == desired[name]}
    assert not (same - doubtful) & change.keys()


def test_what_was_sent_without_an_answer_is_sent_again_by_the_next(tmp_path: Path) -> None:
    with ledger(tmp_path) as books:
        books.begin([record("c1", {"x": 1})])
    with ledger(tmp_path) as books:
        books.desire([("c1", {}), ("c2", {})])
        assert [(d.customer_id, d.change) for d in books.differences()] == [("c1", {"x": None})]


def test_spaces_do_not_see_each_other(tmp_path: Path) -> None:
    with ledger(tmp_path) as books:
        books.settle([record("c1", {"x": 1})], [])
    with ledger(tmp_path, "segment:s") as books:
        books.desire([])
        assert books.count_differences() == 0


def test_books_may_be_kept_while_differences_are_read(tmp_path: Path) -> None:
    customers = [f"c{n:05}" for n in range(5_000)]
    with ledger(tmp_path) as books:
        books.desire([(customer, {"x": 1}) for customer in customers])
        seen = []
        for difference in books.differences():
            seen.append(difference.customer_id)
            books.settle([record(difference.customer_id, {"x": 1})], [])
        assert seen == customers
        assert books.count_differences() == 0


def test_a_label_is_remembered(tmp_path: Path) -> None:
    with ledger(tmp_path) as books:
        assert books.label is None
        books.set_label("Name")
    with ledger(tmp_path) as books:
        assert books.label == "Name"


def test_no_scratch_file_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "scratch").write_bytes(b"left by a crash")
    with ledger(tmp_path) as books:
        books.desire([("c1", {"x": 1})])
    assert not (tmp_path / "scratch").exists()


def test_an_error_while_the_states_are_computed_loses_nothing(tmp_path: Path) -> None:
    def states() -> object:
        yield "c2", {"x": 2}
        raise RuntimeError("the scores cannot be read")

    with ledger(tmp_path) as books:
        books.settle([record("c1", {"x": 1})], [])
        with pytest.raises(RuntimeError):
            books.desire(states())  # type: ignore[arg-type]
    with ledger(tmp_path) as books:
        books.desire([("c1", {"x": 1})])
        assert books.count_differences() == 0


def test_bad_input_a_file_of_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    with ledger(tmp_path):
        pass
    database = sqlite3.connect(tmp_path / "state.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Stop, match="layout 99"):
        ledger(tmp_path)
