"""Reasons as numbers: what is stored comes back, and rubbish is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.reasons.reason import (
    CODES,
    LIMITS,
    PARAMETERS,
    Reason,
    ReasonError,
    decode,
    encode,
)


@st.composite
def reasons(draw: st.DrawFn) -> tuple[Reason, ...]:
    codes = draw(st.lists(st.sampled_from(CODES), max_size=3, unique=True))
    return tuple(
        Reason(c, tuple(draw(st.integers(0, limit)) for limit in LIMITS[: len(PARAMETERS[c])]))
        for c in codes
    )


@given(reasons())
def test_what_is_stored_comes_back(given_reasons: tuple[Reason, ...]) -> None:
    packed = encode(given_reasons)
    assert all(0 < number < 2**32 for number in packed)
    assert decode([*packed, 0, 0]) == given_reasons


def test_the_numbers_of_stored_reasons_never_change() -> None:
    assert encode([Reason("bought", (5, 12)), Reason("due", (14,)), Reason("price")]) == [
        (1 << 26) + (5 << 14) + 12, (2 << 26) + (14 << 14), 12 << 26,
    ]  # fmt: skip
    assert CODES.index("similar_products") == 13


def test_what_is_too_large_is_told_at_its_limit() -> None:
    assert decode(encode([Reason("bought", (5000, 20_000))]))[0].parameters == LIMITS


def test_a_web_worker_tells_reasons_without_a_model_library() -> None:
    script = (
        "import sys, scoring.reasons.words; "
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


@given(st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_bad_input_any_numbers_are_reasons_or_refused(numbers: list[int]) -> None:
    try:
        found = decode(numbers)
    except ReasonError:
        return
    assert encode(found) == [number for number in numbers if number]


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        ([63 << 26], "code 63"),
        ([5], "code 0"),
        ([1 << 40], "known are 1 to"),
        ([(12 << 26) + 1], "price takes 0 parameters"),
        ([(2 << 26) + 1], "due takes 1 parameters"),
        ([1 << 26, 1 << 26], "not up to three"),
        ([n << 26 for n in (1, 4, 5, 6)], "not up to three"),
    ],
)
def test_bad_input_rubbish_is_refused(numbers: list[int], complaint: str) -> None:
    with pytest.raises(ReasonError, match=complaint):
        decode(numbers)


@pytest.mark.parametrize(
    ("reason", "complaint"),
    [
        (Reason("magic"), "no reason is called 'magic'"),
        (Reason("bought", (3,)), "takes days, ago_days"),
        (Reason("price", (3,)), "takes no parameters"),
        (Reason("due", (-1,)), "takes gap_days"),
    ],
)
def test_bad_input_an_impossible_reason_is_not_stored(reason: Reason, complaint: str) -> None:
    with pytest.raises(ReasonError, match=complaint):
        encode([reason])


def test_bad_input_four_reasons_are_too_many() -> None:
    with pytest.raises(ReasonError, match="4 reasons"):
        encode([Reason("price"), Reason("profile"), Reason("due", (7,)), Reason("visit_due", (7,))])
