"""The JSON form of a segment request, to and fro."""

from __future__ import annotations

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.segments.schema import from_json, to_json
from scoring.segment_request import Exclusions, SegmentRequest, SizeRule, Target

NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=4).map(tuple)
TARGETS = st.builds(
    Target, items=NAMES, brands=NAMES, categories=NAMES, match=st.sampled_from(["any", "all"])
).filter(lambda target: target.items or target.brands or target.categories)
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
    horizon_days=st.integers(1, 365),
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
        ({"horizon_days": 366}, "horizon_days"),
        ({"holdout_share": 1}, "holdout_share"),
        ({"exclusions": {"recent_buyer_days": 0}}, "exclusions"),
        ({"exclusions": []}, "exclusions"),
        ({"cost_per_send": -1}, "cost_per_send"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_segment_request_is_refused_by_field(change, where):
    with pytest.raises(marshmallow.ValidationError) as caught:
        from_json(SMALL | change)
    assert list(caught.value.messages) == [where]
