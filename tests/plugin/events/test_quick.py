"""The plain event is taken as the schema takes it, and nothing else is taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugin.events.quick import quick
from plugin.events.schema import BadEventError, load
from scoring import columns as c

PLAIN = {
    "event_id": "e-1",
    "occurred_at": "2017-12-04T00:00:00.250Z",
    "identifier": "고객-17",
    "identifier_kind": "external_id",
    "event_type": "cart",
    "item_id": "7",
    "quantity": 0,
    "unit_price": 1.99,
    "campaign_id": None,
    "channel": "app",
    "device_id": "4f2a",
}
TEXTS = st.sampled_from(["x", " ", "", "a\x00", "é" * 300, "x" * 989, "\u3000", "customer-1"])
TIMES = st.sampled_from(
    [
        "2017-12-04T00:00:00Z", "2017-12-04T00:00:00", "2017-12-04 00:00:00", "20171204T000000Z",
        "2017-12-04T00:00:00.1Z", "2017-12-04T00:00:00.123456+09:00", "2017-12-04T24:00:00Z",
        "2017-13-04T00:00:00Z", "2017-02-29T00:00:00Z", "2017-12-04T00:00:60Z", "2017-12-04",
        "2017-12-04T00:00:00+24:00", "2017-12-04T00:00:00+23:59", "2017-12-04T00:00:00-00:00",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "２０17-12-04T00:00:00Z",
        "2017-12-04T00:00:00.123456789Z", "2017-12-04T00:00Z", "2017-12-04T00:00:00+0900",
    ]
) | st.datetimes().map(datetime.isoformat)  # fmt: skip
NUMBERS = (
    st.sampled_from([0, -1, 1e9, 1e9 + 1, 1e12, 2**70, -0.0, 0.1, True, "7", "x"]) | st.floats()
)
WORDS = st.sampled_from([*c.EVENT_TYPES, *c.IDENTIFIER_KINDS, "dance", ""])
ANYTHING = st.none() | TEXTS | TIMES | NUMBERS | WORDS | st.lists(TEXTS, max_size=1) | st.text()
FITTING = {
    "occurred_at": TIMES, "quantity": NUMBERS, "unit_price": NUMBERS, "event_type": WORDS,
    "identifier_kind": WORDS,
}  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        name: FITTING.get(name, TEXTS) | st.just(value) | ANYTHING for name, value in PLAIN.items()
    }
    | {"properties": st.just({"a": 1}) | ANYTHING, "colour": TEXTS},
)  # fmt: skip
FEW = st.dictionaries(st.sampled_from([*PLAIN, "properties", "colour"]), ANYTHING, max_size=2)


def known(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


@settings(max_examples=1500)
@given(DOCUMENTS | FEW.map(lambda few: {**PLAIN, **few}))
@example({**PLAIN, "quantity": -0.0})
def test_what_is_taken_quickly_is_what_the_schema_gives(document: dict[str, Any]) -> None:
    event = quick(document)
    if event is None:
        return
    expected = known(load(document))
    assert event == expected
    assert repr(event.items()) == repr({name: expected[name] for name in event}.items())


@settings(max_examples=300)
@given(FEW)
def test_bad_input_what_the_schema_refuses_is_not_taken_quickly(few: dict[str, Any]) -> None:
    document = {**PLAIN, **few}
    try:
        load(document)
    except BadEventError:
        assert quick(document) is None


@pytest.mark.parametrize("time", ["2017-12-04T09:00:00", "2017-12-04T09:00:00+09:00"])
def test_a_time_is_taken_quickly_with_the_zone_that_it_names_or_none(time: str) -> None:
    event = quick({**PLAIN, "occurred_at": time})
    assert event is not None
    assert event["occurred_at"].isoformat() == time


@pytest.mark.parametrize("left_out", [name for name in PLAIN if name != "event_type"])
def test_a_plain_event_is_taken_quickly(left_out: str) -> None:
    document = {name: value for name, value in PLAIN.items() if name != left_out}
    assert quick(document) == known(load(document))
    assert quick(document) is not None
