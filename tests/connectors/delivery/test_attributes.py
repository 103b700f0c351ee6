from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.attributes import render
from settings.workspace import AttributeSettings

NUMBER = AttributeSettings("n", "score", round_to=0.05)


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [(0.1234, 0.05, 0.1), (0.1251, 0.05, 0.15), (0.3, 0.1, 0.3), (7, 5, 5), (12.6, 1.0, 13),
     (-0.024, 0.05, 0.0), (1e9 + 0.26, 0.5, 1e9 + 0.5)],
)  # fmt: skip
def test_a_number_goes_to_the_nearest_step_without_dust(
    value: float, step: float, expected: float
) -> None:
    attribute = AttributeSettings("n", "score", round_to=step)
    assert render([attribute], {"score": value}) == {"n": expected}


@given(st.floats(-1e6, 1e6), st.sampled_from([0.001, 0.05, 0.1, 0.25, 1.0, 10.0]))
def test_rounding_twice_is_rounding_once(value: float, step: float) -> None:
    attribute = AttributeSettings("n", "score", round_to=step)
    once = render([attribute], {"score": value})
    assert render([attribute], {"score": once["n"]}) == once
    assert abs(once["n"] - value) <= step / 2 + 1e-9


def test_an_array_is_cut_and_holds_nothing_twice() -> None:
    attribute = AttributeSettings("a", "score", length=2)
    assert render([attribute], {"score": ["x", "x", "y", "z"]}) == {"a": ["x", "y"]}


@pytest.mark.parametrize("scores", [{}, {"score": None}, {"score": []}])
def test_no_score_is_no_attribute(scores: dict[str, object]) -> None:
    assert render([NUMBER], scores) == {}


def test_text_and_truth_pass_as_they_are() -> None:
    attributes = [AttributeSettings("t", "text"), AttributeSettings("b", "truth")]
    assert render(attributes, {"text": "우유", "truth": True}) == {"t": "우유", "b": True}


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), [1, 2], {"a": 1}, object()])
def test_bad_input_a_value_that_no_tool_can_hold_names_the_attribute(value: object) -> None:
    with pytest.raises(ValueError, match=r"^n "):
        render([NUMBER], {"score": value})
