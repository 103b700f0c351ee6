"""Extras of many customers at once are the same bytes as of each alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import columns as c
from scoring.snapshot_schema import completed
from scoring.store.errors import RecordError
from scoring.store.extras import Due, Extras, ExtrasNames, Sent, Watched, pack_extras
from scoring.store.extras_packing import extras_names, packed_extras
from scoring.store.records import EXTRAS_HEAD
from tests.factories import extras_columns
from tests.scoring.store.test_extras import DAY, NAMES, TYPICAL, extras

SAME_NUMBERS = np.arange(2**21 + 1)


def rows_of(customers: list[Extras]) -> pa.Table:
    """As a snapshot's scores hold them."""
    return pa.table(extras_columns(customers))


def packed(customers: list[Extras], numbers: np.ndarray = SAME_NUMBERS) -> list[bytes]:
    tail = packed_extras(rows_of(customers), NAMES, numbers)
    return [
        row[:length].tobytes()[EXTRAS_HEAD.size :]
        for row, length in zip(tail.matrix, tail.lengths, strict=True)
    ]


@given(st.lists(extras, max_size=6))
def test_many_are_packed_as_if_each_were_alone(customers: list[Extras]) -> None:
    assert packed(customers) == [pack_extras(each, NAMES) for each in customers]


def test_the_length_stands_before() -> None:
    tail = packed_extras(rows_of([TYPICAL, Extras()]), NAMES, SAME_NUMBERS)
    alone = pack_extras(TYPICAL, NAMES)
    assert tail.lengths.tolist() == [EXTRAS_HEAD.size + len(alone), EXTRAS_HEAD.size]
    assert EXTRAS_HEAD.unpack(tail.matrix[0, : EXTRAS_HEAD.size].tobytes()) == (len(alone),)


def test_items_are_told_by_published_number() -> None:
    numbers = np.array([-1, -1, 5])
    before = Extras(due=(Due(2, DAY, 7),), watched=(Watched(2, "view", DAY, None),))
    after = Extras(due=(Due(5, DAY, 7),), watched=(Watched(5, "view", DAY, None),))
    assert packed([before], numbers) == [pack_extras(after, NAMES)]


def test_names_are_those_that_occur() -> None:
    customers = [Extras("UTC", night_consent={"sms": False}), Extras(sent=(Sent("email", DAY),))]
    assert extras_names(rows_of(customers)) == ExtrasNames(("UTC",), ("email", "sms"))


def test_longer_lists_are_cut() -> None:
    told = Extras(sent=tuple(Sent("email", DAY - n) for n in range(20)))
    more = Extras(sent=(*told.sent, Sent("sms", DAY - 30)))
    assert packed([more]) == [pack_extras(told, NAMES)]


def test_scores_of_an_older_snapshot_have_no_extras() -> None:
    rows = completed("scores", pa.table({c.CUSTOMER_ID: ["a", "b"]}))
    tail = packed_extras(rows, ExtrasNames(), SAME_NUMBERS)
    assert tail.lengths.tolist() == [EXTRAS_HEAD.size] * 2


def test_bad_input_an_item_that_is_not_published_is_refused() -> None:
    with pytest.raises(RecordError, match="not published"):
        packed([Extras(due=(Due(0, DAY, 7),))], np.array([-1]))


def test_bad_input_a_channel_that_the_layout_lacks_is_refused() -> None:
    rows = rows_of([Extras(sent=(Sent("sms", DAY),))])
    with pytest.raises(RecordError, match="channel"):
        packed_extras(rows, ExtrasNames(), SAME_NUMBERS)
