"""What is late, what is lost, and that counting twice changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.decision_ledger import FILE, FOLD_AFTER_S, GRACE_S, Counts, Ledger, LedgerError, read

NOW = 1_800_000_000.0


def ledger(*blocks: tuple[int, int], ended: int | None = None) -> Ledger:
    made = Ledger()
    for first, end in blocks:
        made.add("p", first, end, ended=False, at_s=NOW)
    if ended is not None:
        made.add("p", ended, ended, ended=True, at_s=NOW)
    return made


def test_without_a_gap_nothing_is_missing() -> None:
    assert ledger((0, 3), (3, 5), ended=5).counts(NOW + GRACE_S) == Counts(5, 0, 0, 0)
    assert ledger((0, 3)).counts(NOW + 1e6) == Counts(3, 0, 0, 1)  # it may go on


def test_a_gap_is_late_and_then_lost_once_the_process_went_on() -> None:
    found = ledger((0, 3), (5, 6))
    assert found.counts(NOW + GRACE_S - 1) == Counts(4, 2, 0, 1)
    assert found.counts(NOW + GRACE_S) == Counts(4, 0, 2, 1)


def test_what_comes_late_is_not_lost() -> None:
    found = ledger((0, 3), (5, 6))
    found.add("p", 3, 5, ended=False, at_s=NOW + 2 * GRACE_S)
    assert found.counts(NOW + 3 * GRACE_S) == Counts(6, 0, 0, 1)


def test_the_tail_of_a_process_that_ended_is_lost() -> None:
    found = ledger((0, 3), ended=7)
    assert found.counts(NOW) == Counts(3, 4, 0, 0)
    assert found.counts(NOW + GRACE_S) == Counts(3, 0, 4, 0)
    assert ledger(ended=7).counts(NOW + GRACE_S) == Counts(0, 0, 7, 0)


def test_processes_are_told_apart() -> None:
    found = ledger((0, 3), ended=4)
    found.add("q", 0, 10, ended=False, at_s=NOW)
    assert found.counts(NOW + GRACE_S) == Counts(13, 0, 1, 1)
    assert found.missing("q", 5, 12) == [(10, 12)]
    assert found.missing("new", 5, 12) == [(5, 12)]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=30))
def test_what_is_missing_is_what_no_block_had(blocks: list[tuple[int, int]]) -> None:
    came: set[int] = set()
    found = Ledger()
    for first, size in blocks:
        part = range(first, first + size)
        missing = [n for a, b in found.missing("p", part.start, part.stop) for n in range(a, b)]
        assert missing == [n for n in part if n not in came]
        came |= set(part)
        found.add("p", part.start, part.stop, ended=False, at_s=NOW)
    end = max(came, default=-1) + 1
    assert found.counts(NOW + GRACE_S)[:3] == (len(came), 0, end - len(came))


def test_it_is_kept_and_read(tmp_path: Path) -> None:
    assert read(tmp_path) == Ledger()
    kept = ledger((0, 3), (5, 6), ended=9)
    kept.save(tmp_path)
    assert read(tmp_path) == kept


def test_processes_that_ended_long_ago_are_kept_as_sums() -> None:
    found = ledger((0, 3), (5, 6), ended=9)
    before = found.counts(NOW + FOLD_AFTER_S)
    found.fold(NOW + FOLD_AFTER_S - 1)
    assert found.accounts
    found.fold(NOW + FOLD_AFTER_S)
    assert not found.accounts
    assert found.counts(NOW + FOLD_AFTER_S) == before == Counts(4, 0, 5, 0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"accounts": {"p": {"x": 1}}, "logged": 0, "lost": 0}']
)
def test_bad_input_a_damaged_ledger_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(LedgerError, match=rf"{FILE}.*restore it"):
        read(tmp_path)


def test_the_file_names_nobody(tmp_path: Path) -> None:
    ledger((0, 3)).save(tmp_path)
    document = json.loads((tmp_path / FILE).read_text())
    assert set(document) == {"version", "accounts", "logged", "lost"}
