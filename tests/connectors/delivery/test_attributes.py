from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.attributes import Rendering
from settings.workspace import AttributeSettings


def render(attributes: list[AttributeSettings], scores: dict[str, object]) -> dict[str, object]:
    return Rendering(attributes).render(scores)[0]


def settled(
    attributes: list[AttributeSettings], scores: dict[str, object], accepted: dict[str, object]
) -> dict[str, object]:
    rendering = Rendering(attributes)
    coarse, exact = rendering.render(scores)
    return rendering.settled(coarse, exact or {}, accepted)


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


def test_an_hour_is_written_as_it_is_and_midnight_is_an_hour() -> None:
    hour = AttributeSettings("h", "best_hour")
    assert render([hour], {"best_hour": 0}) == {"h": 0}
    assert render([hour], {"best_hour": 18}) == {"h": 18}
    assert render([hour], {"best_hour": None}) == {}


@pytest.mark.parametrize(("new", "kept"), [(18, 18), (19, 18), (17, 18), (20, 20), (0, 0)])
def test_a_held_hour_stays_while_the_new_one_is_next_to_it(new: int, kept: int) -> None:
    hour = AttributeSettings("h", "best_hour", hold=2)
    assert settled([hour], {"best_hour": new}, {"h": 18}) == {"h": kept}


@pytest.mark.parametrize(("hour", "part"), [(11, "morning"), (12, "noon"), (17, "evening")])
def test_buckets_make_parts_of_the_day(hour: int, part: str) -> None:
    parts = AttributeSettings(
        "h", "best_hour", buckets=(12, 17), labels=("morning", "noon", "evening")
    )
    assert render([parts], {"best_hour": hour}) == {"h": part}


def test_text_and_truth_pass_as_they_are() -> None:
    attributes = [AttributeSettings("t", "text"), AttributeSettings("b", "truth")]
    assert render(attributes, {"text": "우유", "truth": True}) == {"t": "우유", "b": True}


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), [1, 2], {"a": 1}, object()])
def test_bad_input_a_value_that_no_tool_can_hold_names_the_attribute(value: object) -> None:
    with pytest.raises(ValueError, match=r"^n "):
        render([NUMBER], {"score": value})


BUCKETS = AttributeSettings("b", "score", buckets=(0.1, 0.3), labels=("low", "medium", "high"))
ITEMS = AttributeSettings("i", "items", length=3, hold=1)
STAMP = AttributeSettings("at", "day", along=True)


@pytest.mark.parametrize(
    ("value", "held", "expected"),
    [(0.126, 0.1, 0.1), (0.137, 0.1, 0.1), (0.138, 0.1, 0.15), (0.063, 0.1, 0.1), (0.06, 0.1, 0.05),
     (0.126, None, 0.15), (0.126, "rubbish", 0.15)],
)  # fmt: skip
def test_a_number_stays_until_it_has_left_by_more_than_noise(
    value: float, held: object, expected: float
) -> None:
    accepted = {} if held is None else {"n": held}
    assert settled([NUMBER], {"score": value}, accepted) == {"n": expected}


@pytest.mark.parametrize(
    ("value", "held", "expected"),
    [(0.05, None, "low"), (0.1, None, "medium"), (0.31, "medium", "medium"),
     (0.34, "medium", "high"), (0.095, "medium", "medium"), (0.08, "medium", "low"),
     (0.9, "low", "high"), (0.2, "a label of before", "medium")],
)  # fmt: skip
def test_a_bucket_stays_until_its_bound_is_left_behind(
    value: float, held: object, expected: str
) -> None:
    accepted = {} if held is None else {"b": held}
    assert settled([BUCKETS], {"score": value}, accepted) == {"b": expected}


@pytest.mark.parametrize(
    ("new", "expected"),
    [(["x", "y", "z"], "xyz"), (["z", "x", "y"], "xyz"), (["x", "y", "a"], "xyz"),
     (["x", "a", "b"], "xab"), (["x", "y"], "xy")],
)  # fmt: skip
def test_a_list_stays_while_few_of_its_entries_were_replaced(new: list[str], expected: str) -> None:
    assert settled([ITEMS], {"items": new}, {"i": ["x", "y", "z"]}) == {"i": list(expected)}


def test_a_stamp_is_written_only_along_with_another_attribute() -> None:
    accepted = {"n": 0.1, "at": "2026-03-01"}
    today = {"day": "2026-03-02"}
    assert settled([NUMBER, STAMP], {"score": 0.11, **today}, accepted) == accepted
    moved = settled([NUMBER, STAMP], {"score": 0.9, **today}, accepted)
    assert moved == {"n": 0.9, "at": "2026-03-02"}
    assert settled([NUMBER, STAMP], {"score": 0.9, **today}, {}) == moved


def test_the_urgent_come_first_by_priority_and_then_by_how_much_changed() -> None:
    low, high = NUMBER, AttributeSettings("top", "items", priority=5)
    urgency = Rendering([low, high]).urgency
    assert urgency({"top": ["a"]}, {"top": ["b"]}) > urgency({"n": 0.9}, {"n": 0.1})
    assert urgency({"n": 0.9}, {"n": 0.1}) > urgency({"n": 0.2}, {"n": 0.1})
    assert urgency({"n": 0.2}, {}) > urgency({"n": 0.2}, {"n": 0.1})


LIKELY = AttributeSettings("l", "score", type="boolean", buckets=(0.3,))


@pytest.mark.parametrize(
    ("value", "held", "expected"),
    [(0.3, None, True), (0.29, None, False), (0.28, True, True), (0.26, True, False),
     (0.31, False, False), (0.34, False, True)],
)  # fmt: skip
def test_a_boolean_turns_when_its_bound_is_left_behind(
    value: float, held: bool | None, expected: bool
) -> None:
    accepted = {} if held is None else {"l": held}
    assert settled([LIKELY], {"score": value}, accepted) == {"l": expected}


def test_text_is_held_like_what_it_was_made_of() -> None:
    number = AttributeSettings("n", "score", round_to=0.05, type="text")
    items = AttributeSettings("i", "items", length=3, hold=1, type="text")
    assert render([number, items], {"score": 0.126, "items": ["x", "y"]}) == {
        "n": "0.15", "i": "x,y",
    }  # fmt: skip
    assert settled([number], {"score": 0.126}, {"n": "0.1"}) == {"n": "0.1"}
    assert settled([number], {"score": 0.126}, {"n": "rubbish"}) == {"n": "0.15"}
    assert settled([items], {"items": ["x", "y", "a"]}, {"i": "x,y,z"}) == {"i": "x,y,z"}


@pytest.mark.parametrize(
    ("attribute", "held", "expected"),
    [(AttributeSettings("n", "score", round_to=0.05, type="text"), 0.1, "0.15"),
     (AttributeSettings("n", "score", round_to=0.05), "0.1", 0.15),
     (AttributeSettings("n", "score", type="boolean", buckets=(0.12,)), 0, True)],
)  # fmt: skip
def test_a_new_type_is_written_though_the_value_is_only_noise_away(
    attribute: AttributeSettings, held: object, expected: object
) -> None:
    state = settled([attribute], {"score": 0.126}, {"n": held})
    assert state == {"n": expected}
    assert type(state["n"]) is type(expected)


@pytest.mark.parametrize(("value", "expected"), [(1e308, 1e308), (2**60 + 1, 2**60 + 1)])
def test_bad_input_a_number_without_such_digits_stays_as_it_is(
    value: float, expected: float
) -> None:
    assert render([NUMBER], {"score": value}) == {"n": expected}


def test_bad_input_an_integer_beyond_any_float_is_no_number() -> None:
    with pytest.raises(ValueError, match="n is not a finite number"):
        render([NUMBER], {"score": 10**400})
