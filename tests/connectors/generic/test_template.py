from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Reject
from connectors.generic.template import fill, fill_path, path_problems, problems, uses

VALUES = {
    "customer_id": "c1",
    "attributes": {"score": 0.5, "items": ["a"]},
    "properties": {"name": "Kim", "a.b": 1},
}
ALLOWED = frozenset(VALUES)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ({"id": "$customer_id", "kind": "profile"}, {"id": "c1", "kind": "profile"}),
        ({"n": 1, "$merge": "$attributes"}, {"n": 1, "score": 0.5, "items": ["a"]}),
        (["$customer_id", 1, None, True], ["c1", 1, None, True]),
        ("$attributes", {"score": 0.5, "items": ["a"]}),
        ({"to": "$properties.name"}, {"to": "Kim"}),
        ({"$delete": 1}, {"$delete": 1}),
        ("$$customer_id costs $5", "$customer_id costs $5"),
        ("for $customer_id", "for $customer_id"),
    ],
)  # fmt: skip
def test_placeholders_become_values_of_their_own_type(template: Any, filled: Any) -> None:
    assert list(problems(template, ALLOWED)) == []
    assert fill(template, VALUES) == filled


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers()))
def test_no_value_gets_out_of_its_place(customer_id: str, attributes: dict[str, Any]) -> None:
    template = {"id": "$customer_id", "values": "$attributes", "last": True}
    filled = fill(template, {"customer_id": customer_id, "attributes": attributes})
    assert filled == {"id": customer_id, "values": attributes, "last": True}


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_no_id_gets_out_of_its_segment_of_the_path(customer_id: str) -> None:
    try:
        customer_id.encode()
    except UnicodeEncodeError:
        return  # delivery refuses what is no text
    path = fill_path("/users/$customer_id/attributes?dry=1", {"customer_id": customer_id})
    start, middle, end = path.removeprefix("/").split("/")
    assert (start, end) == ("users", "attributes?dry=1")
    assert middle.isascii()
    assert not set(middle) & set(" ?#\\\r\n")


def test_only_whole_segments_of_a_path_are_placeholders() -> None:
    assert fill_path("/key:$customer_id/rows", VALUES) == "/key:$customer_id/rows"
    assert uses("/users/$customer_id", "customer_id")
    assert not uses("/users/me?x=$customer_id", "customer_id")


@pytest.mark.parametrize("customer_id", [".", "..", ""])
def test_bad_input_an_id_that_would_be_another_path_is_rejected(customer_id: str) -> None:
    with pytest.raises(Reject, match="cannot stand in an address"):
        fill_path("/users/$customer_id", {"customer_id": customer_id})


def test_bad_input_an_attribute_that_would_replace_a_field_is_rejected() -> None:
    template = {"score": "ours", "$merge": "$attributes"}
    with pytest.raises(Reject, match="score is a field of the request"):
        fill(template, VALUES)


def test_bad_input_a_missing_property_is_named() -> None:
    with pytest.raises(Reject, match="there is no property phone"):
        fill({"to": "$properties.phone"}, VALUES)


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ({"id": "$custmer_id"}, "'$custmer_id' is no placeholder here; there are: $attributes,"),
        (["$customer_id.name"], "$customer_id has no entries"),
        ("$customer id", "is no placeholder here"),
        ({"$merge": {"a": 1}}, "$merge takes a placeholder"),
        ({1: "a"}, "the key 1 must be a text"),
        ({"a": object()}, "cannot be written as JSON"),
    ],
)
def test_bad_input_what_is_wrong_with_a_template_is_said(template: Any, problem: str) -> None:
    assert any(problem in sentence for sentence in problems(template, ALLOWED))


def test_bad_input_a_placeholder_after_the_question_mark_is_refused() -> None:
    assert list(path_problems("/users?id=$customer_id", ALLOWED))
    assert list(path_problems("/users/$item", ALLOWED))


def test_what_is_filled_is_json() -> None:
    assert orjson.dumps(fill({"a": ["$attributes"]}, VALUES))


def test_two_dollars_in_a_path_are_one_that_stands_there() -> None:
    assert list(path_problems("/users/$$batch", frozenset())) == []
    assert fill_path("/users/$$batch/$customer_id", {"customer_id": "$$x"}) == (
        "/users/$batch/%24%24x"
    )
