"""The JSON form of a segment request, to and fro."""

from __future__ import annotations

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.segments.schema import from_json, to_json
from scoring.segment_request import (
    OPERATORS,
    Condition,
    Exclusions,
    SegmentRequest,
    SizeRule,
    Target,
)

NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=4).map(tuple)
TEXTS = st.text(min_size=1, max_size=20).filter(str.strip)
CONDITIONS = st.sampled_from(
    [(attribute, operator) for attribute in OPERATORS for operator in OPERATORS[attribute]]
).flatmap(
    lambda pair: st.builds(
        Condition,
        st.just(pair[0]),
        st.just(pair[1]),
        st.floats(-1e6, 1e6) | st.integers(0, 99) if pair[1] in (">=", "<=") else TEXTS,
    )
)
TARGETS = st.builds(
    Target,
    items=NAMES,
    brands=NAMES,
    categories=NAMES,
    rule=st.lists(CONDITIONS, max_size=3).map(tuple),
    match=st.sampled_from(["any", "all"]),
).filter(lambda target: target.items or target.brands or target.categories or target.rule)
SIZES = st.one_of(
    st.builds(SizeRule, count=st.integers(1, 10**6)),
    st.builds(SizeRule, share=st.floats(0, 1, exclude_min=True)),
    st.builds(SizeRule, minimum_probability=st.floats(0, 1)),
    st.builds(SizeRule, budget=st.floats(0.01, 1e9)),
    st.just(SizeRule(maximum_profit=True)),
)
REQUESTS = st.builds(
    SegmentRequest,
    name=st.text(min_size=1, max_size=50),
    target=TARGETS,
    size=SIZES,
    goal=st.sampled_from(["purchase", "click"]),
    horizon_days=st.none() | st.integers(1, 90),
    exclusions=st.builds(
        Exclusions,
        recent_buyer_days=st.none() | st.integers(1, 365),
        without_ad_consent=st.booleans(),
        fatigued=st.booleans(),
    ),
    holdout_share=st.none() | st.floats(0, 0.99),
    cost_per_send=st.none() | st.floats(0, 100),
    margin=st.none() | st.floats(0, 100),
)
SMALL = {"name": "n", "target": {"brands": ["b"]}, "size": {"share": 0.2}}


@given(REQUESTS)
def test_what_is_written_is_read(request_):
    assert from_json(to_json(request_)) == request_


def test_defaults_are_those_of_the_dataclass():
    request = SegmentRequest("n", Target(brands=("b",)), SizeRule(share=0.2))
    assert from_json(SMALL) == request


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"target": {}}, "target"),
        ({"target": {"items": []}}, "target"),
        ({"target": {"items": [""]}}, "target"),
        ({"target": {"items": "b"}}, "target"),
        ({"target": {"brands": ["b"], "match": "some"}}, "target"),
        ({"size": {}}, "size"),
        ({"size": {"share": 0.2, "count": 10}}, "size"),
        ({"size": {"share": 0}}, "size"),
        ({"size": {"share": 1.01}}, "size"),
        ({"size": {"count": 0}}, "size"),
        ({"size": {"count": 1.5}}, "size"),
        ({"size": {"maximum_profit": False}}, "size"),
        ({"size": {"maximum_profit": "yes"}}, "size"),
        ({"size": {"budget": float("inf")}}, "size"),
        ({"size": {"minimum_probability": float("nan")}}, "size"),
        ({"goal": "fame"}, "goal"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"horizon_days": 91}, "horizon_days"),
        ({"horizon_days": 7.5}, "horizon_days"),
        ({"horizon_days": "week"}, "horizon_days"),
        ({"target": {"rule": []}}, "target"),
        ({"target": {"rule": {}}}, "target"),
        ({"target": {"rule": [{}] * 21}}, "target"),
        ({"holdout_share": 1}, "holdout_share"),
        ({"exclusions": {"recent_buyer_days": 0}}, "exclusions"),
        ({"exclusions": []}, "exclusions"),
        ({"cost_per_send": -1}, "cost_per_send"),
        ({"cost_per_send": 1e300}, "cost_per_send"),
        ({"margin": 1e308}, "margin"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_segment_request_is_refused_by_field(change, where):
    with pytest.raises(marshmallow.ValidationError) as caught:
        from_json(SMALL | change)
    assert list(caught.value.messages) == [where]


PRICE = {"attribute": "price", "operator": ">=", "value": 10}


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"attribute": "colour"}, "attribute", "Must be one of: name, brand"),
        ({"attribute": None}, "attribute", "may not be null"),
        ({"operator": "is"}, "operator", "found 'is', price takes >=, <="),
        ({"operator": "=="}, "operator", "Must be one of"),
        ({"value": "10"}, "value", "price takes a number, found '10'"),
        ({"value": True}, "value", "Not a number, or a text"),
        ({"value": [10]}, "value", "Not a number, or a text"),
        ({"value": float("nan")}, "value", "Not a number, or a text"),
        ({"value": 1e300}, "value", "Not a number, or a text"),
        ({"attribute": "name", "operator": "is", "value": "x" * 1001}, "value", "at most 1000"),
        ({"attribute": "name", "operator": "is", "value": " "}, "value", "name takes a text"),
        ({"colour": "red"}, "colour", "Unknown field"),
    ],
)
def test_bad_input_a_condition_is_refused_by_field(change, field, told):
    with pytest.raises(marshmallow.ValidationError) as caught:
        from_json(SMALL | {"target": {"rule": [PRICE | change]}})
    (messages,) = caught.value.messages["target"]["rule"].values()
    assert list(messages) == [field]
    assert told in messages[field][0]


def test_a_request_of_before_there_were_rules_is_still_read():
    """Jobs that wait in the store while the program is renewed."""
    old = SMALL | {"target": {"items": [], "brands": ["b"], "categories": [], "match": "any"}}
    assert from_json(old | {"horizon_days": 7}).horizon_days == 7
