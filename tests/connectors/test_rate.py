from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from connectors.rate import LONGEST_WAIT_S, read_rate, read_retry_after_s

NOW = 1_800_000_000.0
NOW_AS_DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "12"}, 12),
        ({"X-RateLimit-Reset": "1800000012"}, 12),
        ({"X-RateLimit-Reset": "1800003612", "Date": "Fri, 15 Jan 2027 09:00:00 GMT"}, 12),
        ({"X-RateLimit-Reset": "1799999990"}, 0),
        ({"X-RateLimit-Reset": "99999999999"}, LONGEST_WAIT_S),
        ({"x-ratelimit-reset": "12"}, 12),
        ({}, None),
    ],
)
def test_reset_is_read_both_ways(headers: dict[str, str], seconds: float | None) -> None:
    assert read_rate(CaseInsensitiveDict(headers), now=NOW).reset_s == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"X-Ratelimit-Retry-After": "3.5"}, 3.5),
        ({"Retry-After": "3", "X-RateLimit-Reset": "60"}, 3),
        ({"X-RateLimit-Reset": "60"}, 60),
    ],
)
def test_the_wish_to_wait_is_found(headers: dict[str, str], seconds: float) -> None:
    assert read_retry_after_s(CaseInsensitiveDict(headers), now=NOW) == seconds


def test_the_window_is_read() -> None:
    rate = read_rate({"X-RateLimit-Limit": "3000", "X-RateLimit-Remaining": "7"}, now=NOW)
    assert (rate.limit, rate.remaining, rate.reset_s) == (3000, 7, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit-Limit": "10", "RateLimit-Remaining": "7", "RateLimit-Reset": "1"},
        {"ratelimit-limit": "10, 10;w=1, 150;w=60", "ratelimit-remaining": "7",
         "ratelimit-reset": "1"},
        {"RateLimit-Limit": "9", "RateLimit-Remaining": "9", "RateLimit-Reset": "9",
         "X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1"},
    ],
)  # fmt: skip
def test_the_window_is_read_in_the_spelling_of_the_ietf_draft_too(headers: dict[str, str]) -> None:
    rate = read_rate(CaseInsensitiveDict(headers), now=NOW)
    assert (rate.limit, rate.remaining, rate.reset_s) == (10, 7, 1)


def test_a_429_without_retry_after_is_waited_out_by_the_drafts_reset() -> None:
    assert read_retry_after_s({"RateLimit-Reset": "60"}, now=NOW) == 60


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1", "1e400", "٣", "12; DROP"])
def test_bad_input_rubbish_in_a_header_is_no_reason_to_wait_long(text: str) -> None:
    headers = {"Retry-After": text, "X-RateLimit-Reset": text, "X-RateLimit-Remaining": text}
    assert (read_retry_after_s(headers, now=NOW) or 0) <= 3
    assert (read_rate(headers, now=NOW).reset_s or 0) <= 3


@given(st.text(), st.text(), st.text())
def test_no_header_is_ever_a_crash_or_an_endless_wait(a: str, b: str, c: str) -> None:
    headers = {"Retry-After": a, "X-RateLimit-Reset": b, "Date": c}
    waited = read_retry_after_s(headers, now=NOW)
    assert waited is None or 0 <= waited <= LONGEST_WAIT_S
