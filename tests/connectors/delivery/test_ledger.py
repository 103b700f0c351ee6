from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.engine import Delivery
from connectors.delivery.ledger import Ledger
from connectors.delivery.packing import Record
from connectors.delivery.plan import Plan, Policy, Wish, _change
from connectors.delivery.report import SyncReport
from connectors.errors import Stop
from tests.connectors.delivery.fakes import FakeTarget

VALUES = st.one_of(st.integers(0, 3), st.lists(st.sampled_from("ab"), max_size=2))
STATES = st.dictionaries(st.sampled_from("xyz"), VALUES)


@contextmanager
def opened(folder: Path, space: str = "attributes") -> Iterator[Ledger]:
    with Ledger(folder / "state.sqlite", space) as ledger:
        ledger.recover()
        yield ledger


@contextmanager
def planned(
    ledger: Ledger, folder: Path, wishes: dict[str, dict[str, Any]], policy: Policy | None = None
) -> Iterator[Plan]:
    with Plan(ledger, folder / "scratch", FakeTarget(), policy or Policy()) as plan:
        plan.desire(Wish(key, state) for key, state in wishes.items())
        plan.compare()
        yield plan


def records(plan: Plan) -> list[Record]:
    plan.pack()
    return [record for request in plan.requests() for record in request]


def sent(ledger: Ledger, folder: Path, wishes: dict[str, dict[str, Any]]) -> int:
    """Begin one request with all that differs; its number."""
    with planned(ledger, folder, wishes) as plan:
        return ledger.begin(records(plan))


def taken(ledger: Ledger, folder: Path, wishes: dict[str, dict[str, Any]]) -> None:
    """All that differs is accepted."""
    with planned(ledger, folder, wishes) as plan:
        differing = records(plan)
        ledger.settle(ledger.begin(differing), differing)


def changes(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [tuple(orjson.loads(r.body)) for r in records(plan)]  # type: ignore[misc]


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
    with opened(tmp_path) as books:
        sent(books, tmp_path, {"c1": {"x": 1}})
    for _ in range(2):  # also when the second dies before it sends anything
        with opened(tmp_path) as books, planned(books, tmp_path, {"c1": {}, "c2": {}}) as plan:
            assert changes(plan) == [("c1", {"x": None})]


def test_all_that_two_unanswered_requests_wrote_is_in_doubt(tmp_path: Path) -> None:
    for state in ({"x": 1}, {"y": 2}):
        with opened(tmp_path) as books:
            sent(books, tmp_path, {"c1": state})
    with opened(tmp_path) as books, planned(books, tmp_path, {"c1": {"x": 3}}) as plan:
        assert changes(plan) == [("c1", {"x": 3, "y": None})]


def test_an_answered_request_leaves_no_doubt_but_of_its_unsent_parts(tmp_path: Path) -> None:
    both = {"c1": {"x": 1}, "c2": {"x": 1}}
    with opened(tmp_path) as books, planned(books, tmp_path, both) as plan:
        one, two = records(plan)
        books.settle(books.begin([one, two]), [one], unsent=[[two]])
    wishes = {"c1": {"x": 1}, "c2": {}}
    with opened(tmp_path) as books, planned(books, tmp_path, wishes) as plan:
        assert changes(plan) == [("c2", {"x": None})]


def test_spaces_do_not_see_each_other(tmp_path: Path) -> None:
    with opened(tmp_path) as books:
        taken(books, tmp_path, {"c1": {"x": 1}})
        sent(books, tmp_path, {"c1": {"x": 1}, "c2": {"x": 1}})
    with opened(tmp_path, "segment:s") as books, planned(books, tmp_path, {}) as plan:
        assert plan.totals() == (0, 0)


def test_books_may_be_kept_while_records_are_read(tmp_path: Path) -> None:
    wishes = {f"c{n:05}": {"x": 1} for n in range(5_000)}
    with opened(tmp_path) as books:
        with planned(books, tmp_path, wishes) as plan:
            seen = []
            plan.pack()
            for each in plan.requests():
                seen += [record.key for record in each]
                books.settle(books.begin(each), each)
            assert seen == list(wishes)
        with planned(books, tmp_path, wishes) as plan:
            assert plan.totals() == (0, 0)


def test_a_budget_is_spent_on_removals_and_then_on_the_urgent(tmp_path: Path) -> None:
    policy = Policy(urgency=lambda change, accepted: float(change["x"]), budget=3)
    with opened(tmp_path) as books:
        taken(books, tmp_path, {"c0": {"x": 1}})
        wishes = {"c1": {"x": 1}, "c2": {"x": 9}, "c3": {"x": 5}, "c4": {"x": 2}}
        with planned(books, tmp_path, wishes, policy) as plan:
            assert plan.postpone() == (2, 2)
            assert [r.key for r in records(plan)] == ["c0", "c2", "c3"]
            assert plan.totals() == (3, 3)


def test_a_label_is_remembered(tmp_path: Path) -> None:
    with opened(tmp_path) as books:
        assert books.label is None
        books.set_label("Name")
    with opened(tmp_path) as books:
        assert books.label == "Name"


def test_no_scratch_file_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "scratch").write_bytes(b"left by a crash")
    with opened(tmp_path) as books, planned(books, tmp_path, {"c1": {"x": 1}}):
        pass
    assert not (tmp_path / "scratch").exists()


def test_an_error_while_the_states_are_computed_loses_nothing(tmp_path: Path) -> None:
    def states() -> Iterator[Wish]:
        yield Wish("c2", {"x": 2})
        raise RuntimeError("the scores cannot be read")

    with opened(tmp_path) as books:
        taken(books, tmp_path, {"c1": {"x": 1}})
        with (
            pytest.raises(RuntimeError),
            Plan(books, tmp_path / "scratch", FakeTarget(), Policy()) as plan,
        ):
            plan.desire(states())
    with opened(tmp_path) as books, planned(books, tmp_path, {"c1": {"x": 1}}) as plan:
        assert plan.totals() == (0, 0)


def test_books_of_the_layout_before_are_read(tmp_path: Path) -> None:
    with opened(tmp_path) as books:
        taken(books, tmp_path, {"c1": {"x": 1}})
        books.db.execute("DROP TABLE in_flight")
        books.db.execute("PRAGMA user_version = 1")
    with opened(tmp_path) as books, planned(books, tmp_path, {"c1": {"x": 1}}) as plan:
        assert plan.totals() == (0, 0)


def test_bad_input_a_file_of_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    database = sqlite3.connect(tmp_path / "state.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Stop, match="layout 99"):
        Ledger(tmp_path / "state.sqlite", "attributes")


def test_a_budget_below_one_record_does_not_stop_for_ever(tmp_path: Path) -> None:
    policy = Policy(budget=2)
    with opened(tmp_path) as books:
        taken(books, tmp_path, {"gone": {"x": 1, "y": 1, "z": 1}})
        with planned(books, tmp_path, {"c1": {"x": 1}}, policy) as plan:
            assert plan.postpone() == (1, 1)
            assert [r.key for r in records(plan)] == ["gone"]


@pytest.mark.parametrize(("before", "now"), [(1, True), (False, 0)])
def test_truth_is_not_a_number(before: object, now: object) -> None:
    assert _change({"x": now}, {"x": before}, []) == {"x": now}
    assert _change({"x": 1.0}, {"x": 1}, []) == {}


def test_bad_input_an_entry_of_damaged_books_is_named_as_such(tmp_path: Path) -> None:
    delivery = Delivery(FakeTarget(), tmp_path / "state.sqlite", "attributes", SyncReport("c"))
    delivery.run([Wish("c1", {"x": 1})])
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as db, db:
        db.execute("UPDATE accepted SET attributes = '{'")
    with pytest.raises(Stop, match="cannot be used: an entry is damaged"):
        delivery.run([Wish("c1", {"x": 2})])


def test_bad_input_a_full_disk_is_what_the_sentence_says(tmp_path: Path) -> None:
    with opened(tmp_path) as books:
        pages = books.db.execute("PRAGMA page_count").fetchone()[0]
        books.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"), books.transaction():
            for n in range(1_000):
                books.refuse(f"c{n}", b"content", "reason" * 100)


@pytest.mark.parametrize(
    "name", ["state.sqlite.attributes.lock", "state.sqlite.attributes.scratch"]
)
def test_bad_input_a_file_that_cannot_be_made_stops_this_connection_only(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).mkdir()
    delivery = Delivery(FakeTarget(), tmp_path / "state.sqlite", "attributes", SyncReport("c"))
    with pytest.raises(Stop, match=f"{name}: Is a directory"):
        delivery.run([Wish("c1", {"x": 1})])
