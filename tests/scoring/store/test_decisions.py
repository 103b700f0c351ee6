"""Blocks of decisions: what goes in comes out, and rubbish is told from a block."""

from __future__ import annotations

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from scoring.store.decisions import COLUMNS, command, pack_block, unpack_block
from scoring.store.errors import RecordError
from scoring.store.keys import Keys
from tests.decisions import AT_S, CUSTOMER, decision

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
ITEMS = st.lists(
    st.tuples(st.integers(0, 9), st.floats(0, 1, width=32)), max_size=10
)  # fmt: skip


def test_a_block_says_what_was_decided() -> None:
    shown = decision(7)
    fallback = decision(8, customer=b"", reason="timeout", numbers=("x",), published=None)
    block = unpack_block(pack_block("p", 7, [shown, fallback._replace(scores=(0.125,))]))
    assert (block.process, block.first, block.size, block.ended) == ("p", 7, 2, False)
    columns = block.columns
    assert columns["decision_id"] == [shown.decision_id, fallback.decision_id]
    assert columns["at_us"] == [int((AT_S + 7) * 1e6), int((AT_S + 8) * 1e6)]
    assert columns["customer"] == [CUSTOMER.hex(), ""]
    assert columns["items"] == [["item-03", "item-01"], ["x"]]
    assert columns["scores"] == [[0.5, 0.25], [0.125]]
    assert columns["reason"] == [None, "timeout"]
    assert columns["send"] == [True, True]


@given(st.lists(st.tuples(TEXTS, ITEMS), max_size=20), st.integers(0, 2**60), st.booleans())
def test_whatever_goes_into_a_block_comes_out(rows, first, ended) -> None:
    made = [
        decision(n, campaign=text, numbers=[i for i, _ in items], scores=[s for _, s in items])
        for n, (text, items) in enumerate(rows)
    ]
    block = unpack_block(pack_block("p", first, made, ended=ended))
    assert (block.first, block.size, block.ended) == (first, len(rows), ended)
    assert block.columns["campaign"] == [text for text, _ in rows]
    assert block.columns["scores"] == [[s for _, s in items] for _, items in rows]
    assert block.columns["items"] == [[f"item-{i:02d}" for i, _ in items] for _, items in rows]


def test_a_block_is_small() -> None:
    assert len(pack_block("p", 0, [decision(n) for n in range(256)])) < 256 * 60


def test_bad_input_half_a_character_is_written_as_its_escape() -> None:
    raw = pack_block("p", 0, [decision(0, campaign="a\ud800"), decision(1)])
    assert unpack_block(raw).columns["campaign"] == ["a\\ud800", "spring"]


def test_bad_input_an_item_that_is_not_published_is_told() -> None:
    with pytest.raises(IndexError):
        pack_block("p", 0, [decision(numbers=(10,))])


def _damaged() -> list[bytes]:
    whole = pack_block("p", 0, [decision(0), decision(1)])
    line, _, numbers = zstandard.decompress(whole).partition(b"\n")
    head = orjson.loads(line)

    def packed(**changes: object) -> bytes:
        return zstandard.compress(orjson.dumps(head | changes) + b"\n" + numbers)

    return [
        b"",
        b"rubbish",
        whole[:-5],
        zstandard.compress(line + b"\n" + numbers[:-4]),
        zstandard.compress(line + b"\n" + numbers[:-1]),
        zstandard.compress(b"[]\n"),
        zstandard.compress(b"0" * (64 * 1024 * 1024 + 1)),
        packed(format=2),
        packed(size=3),
        packed(first=-1),
        packed(first="0"),
        packed(process=7),
        packed(scores=[2, "2"]),
        packed(campaign=["spring"]),
        packed(items=None),
    ]


@pytest.mark.parametrize("raw", _damaged())
def test_bad_input_what_is_no_block_is_refused(raw: bytes) -> None:
    with pytest.raises(RecordError, match="a block of decisions"):
        unpack_block(raw)


def test_a_block_goes_to_its_own_workspaces_stream(redis_client) -> None:
    for workspace in ("shop", "other"):
        block = pack_block(workspace, 0, [decision()])
        redis_client.execute_command(*command(Keys(workspace), block))
    for workspace in ("shop", "other"):
        ((_, fields),) = redis_client.xrange(Keys(workspace).decisions)
        assert unpack_block(fields[b"b"]).process == workspace
    assert set(COLUMNS) == set(unpack_block(fields[b"b"]).columns)
