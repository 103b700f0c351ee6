"""The lake's decisions: each once, whatever dies, and gone when they have to go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring import decision_ledger
from scoring.columns import CUSTOMER_HASH
from scoring.decisions import SCHEMA, Decisions
from scoring.delta import Delta
from scoring.erasure import Erased
from scoring.store.decisions import Block, Decision, pack_block, unpack_block
from tests.conftest import SECRET
from tests.decisions import AT_S, CUSTOMER, decision

DAY_S = 86_400
GONE = b"\xab" * 12


@pytest.fixture
def table(tmp_path: Path) -> Decisions:
    return Decisions(tmp_path)


def block(first: int, *made: Decision, process: str = "p", ended: bool = False) -> Block:
    return unpack_block(pack_block(process, first, made, ended=ended))


@pytest.fixture
def store(table: Decisions) -> Callable[..., tuple[int, ...]]:
    """Stores blocks; (added, known, erased, unreadable)."""

    def call(*blocks: Block) -> tuple[int, ...]:
        stored = table.store(blocks, at_s=AT_S, secret=SECRET)
        return stored.added, stored.known, stored.erased, stored.unreadable

    return call


def rows(table: Decisions) -> list[dict]:
    parts = [pq.read_table(file.path, partitioning=None) for file in table.files()]
    found = pa.concat_tables([SCHEMA.empty_table(), *parts]).to_pylist()
    return sorted(found, key=lambda row: (row["process"], row["sequence"]))


def numbers(table: Decisions) -> list[tuple[str, int]]:
    return [(row["process"], row["sequence"]) for row in rows(table)]


def test_a_decision_is_kept_as_it_was(table: Decisions, store) -> None:
    shown = decision(0, scores=(0.5, 0.25))
    nobody = decision(
        1, customer=b"", campaign="", channel="", snapshot="", numbers=(), scores=(), arm="control",
        send=False, send_reason="holdout", reason="timeout",
    )  # fmt: skip
    assert store(block(7, shown, nobody)) == (2, 0, 0, 0)
    first, second = rows(table)
    assert first == {
        "decision_id": shown.decision_id,
        "decided_at": datetime.fromtimestamp(AT_S, UTC),
        "kind": "for-you",
        "campaign_id": "spring",
        "channel": "email",
        "customer": CUSTOMER.hex(),
        "snapshot": "20260302T000000Z",
        "policy": "for-you/1",
        "arm": "treatment",
        "reason": None,
        "send": True,
        "send_reason": None,
        "items": ["item-03", "item-01"],
        "scores": [0.5, 0.25],
        "process": "p",
        "sequence": 7,
    }
    absent = ("customer", "campaign_id", "channel", "snapshot")
    assert [second[name] for name in absent] == [None] * 4
    told = ("arm", "send", "send_reason", "reason", "items", "scores", "sequence")
    assert [second[n] for n in told] == ["control", False, "holdout", "timeout", [], [], 8]


def test_a_block_that_comes_twice_is_there_once(table: Decisions, store) -> None:
    again = block(0, decision(0), decision(1))
    assert store(again, again) == (2, 2, 0, 0)
    assert store(again, block(1, decision(1), decision(2))) == (1, 3, 0, 0)
    assert store(block(0, decision(0), process="q")) == (1, 0, 0, 0)
    assert numbers(table) == [("p", 0), ("p", 1), ("p", 2), ("q", 0)]


def test_killed_between_commit_and_ledger_it_adds_nothing_twice(
    table: Decisions, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    once = block(0, decision(0), decision(1))
    with monkeypatch.context() as patch:
        patch.setattr(decision_ledger.Ledger, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            store(once)
    assert table.counts(AT_S).logged == 0
    assert store(once, block(2, decision(2))) == (1, 2, 0, 0)
    assert numbers(table) == [("p", 0), ("p", 1), ("p", 2)]
    assert table.counts(AT_S).logged == 3


def test_killed_before_the_commit_it_adds_all_of_it_later(
    table: Decisions, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    once = block(0, decision(0))
    with monkeypatch.context() as patch:
        patch.setattr(Delta, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            store(once)
    assert store(once) == (1, 0, 0, 0)


def test_what_is_missing_is_lost_once_the_process_went_on(table: Decisions, store) -> None:
    store(block(0, decision(0)), block(5, decision(5)), block(9, ended=True))
    assert table.counts(AT_S) == decision_ledger.Counts(2, 7, 0, 0)
    late = AT_S + decision_ledger.GRACE_S
    assert table.counts(late) == decision_ledger.Counts(2, 0, 7, 0)
    store(block(1, *map(decision, range(1, 5))))
    assert table.counts(late) == decision_ledger.Counts(6, 0, 3, 0)


def test_bad_input_a_block_of_wrong_values_costs_itself_alone(table: Decisions, store) -> None:
    wrong = block(0, decision(0), decision(1))
    wrong.columns["campaign"] = [["a"], 5]
    assert store(wrong, block(2, decision(2))) == (1, 0, 0, 2)
    assert table.counts(AT_S + decision_ledger.GRACE_S).lost == 2


def test_days_are_folders_and_can_be_read_alone(table: Decisions, store) -> None:
    store(block(0, *(decision(at_s=AT_S + day * DAY_S) for day in (2, 0, 1))))
    assert [file.day for file in table.files()] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    found = table.files(since=date(2026, 3, 3), until=date(2026, 3, 4))
    assert [file.day for file in found] == ["2026-03-03"]


def test_many_small_files_become_one(table: Decisions, store) -> None:
    for number in range(17):
        store(block(number, decision(number)))
    store(block(17, decision(17, at_s=AT_S + DAY_S)))
    before = numbers(table)
    assert (table.compact(), table.compact()) == (1, 0)
    assert numbers(table) == before
    assert len(table.files()) == 2
    assert store(block(3, decision(3))) == (0, 1, 0, 0)


def test_old_days_go_from_the_disk(table: Decisions, store, tmp_path: Path) -> None:
    store(block(0, *(decision(n, at_s=AT_S + n * DAY_S) for n in range(3))))
    assert (table.retire(date(2026, 3, 4)), table.retire(date(2026, 3, 4))) == (2, 0)
    assert [row["sequence"] for row in rows(table)] == [2]
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert table.counts(AT_S + DAY_S).lost == 0  # they were there
    assert store(block(0, decision(0))) == (0, 1, 0, 0)  # and do not come back


def test_an_erased_customer_leaves_no_trace_and_does_not_come_back(
    table: Decisions, store, tmp_path: Path
) -> None:
    store(block(0, decision(0, customer=GONE), decision(1), decision(2, customer=b"")))
    Erased(tmp_path, SECRET).add([(CUSTOMER_HASH, GONE.hex())])
    assert table.erase([GONE.hex()]) == 1
    assert numbers(table) == [("p", 1), ("p", 2)]
    assert store(block(3, decision(3, customer=GONE), decision(4))) == (1, 0, 1, 0)
    assert store(block(0, decision(0, customer=GONE))) == (0, 1, 0, 0)
    assert table.counts(AT_S + decision_ledger.GRACE_S) == decision_ledger.Counts(5, 0, 0, 1)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            if path.suffix == ".parquet":
                text += str(pq.read_table(path, partitioning=None).to_pydict()).encode()
            assert GONE.hex().encode() not in text, path


def test_erasing_nobody_and_reading_nothing_need_no_table(table: Decisions) -> None:
    assert (table.erase([]), table.erase(["ab"]), table.compact(), table.files()) == (0, 0, 0, [])
    assert table.retire(date(2026, 1, 1)) == 0


def test_workspaces_have_tables_of_their_own(tmp_path: Path) -> None:
    one, two = Decisions(tmp_path / "one"), Decisions(tmp_path / "two")
    one.store([block(0, decision(0))], at_s=AT_S, secret=SECRET)
    assert (len(rows(one)), len(rows(two))) == (1, 0)
    assert two.store([block(0, decision(0))], at_s=AT_S, secret=SECRET).added == 1
