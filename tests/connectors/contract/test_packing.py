"""Requests as large as the tool takes, no larger, and no faster than it allows."""

from __future__ import annotations

from math import ceil

import pytest

from connectors.registry import REGISTRY
from connectors.tool import Ability
from tests.connectors.double import FEW, Double
from tests.connectors.doubles import connector_of

MOST_LARGE = 1_500  # a body of half a megabyte is filled by them

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES)


@pytest.mark.needs("http", "batches")
def test_full_requests_are_taken_and_are_few(double: Double) -> None:
    double.full_size()
    limits = double.limits
    double.customers(2 * limits.items + 1)
    report = double.sync()
    assert (report.retries, report.rejected) == (0, {})
    assert double.held() == double.wanted()
    sizes = [call["bytes"] for call in double.tool.calls() if call["bytes"]]
    assert max(sizes) <= limits.body_bytes
    assert report.requests <= 2 * max(3, ceil(sum(sizes) / limits.body_bytes)) + 1


@pytest.mark.needs("http", "long-texts")
def test_large_records_are_packed_by_their_bytes(double: Double) -> None:
    double.full_size()
    limits = double.limits
    texts = [letter * 100 for letter in "abc"]
    count = min(MOST_LARGE, 2 * limits.body_bytes // 300) if limits.items > 1 else 5
    double.desired = {f"c{n:05}": {"top_items": texts} for n in range(count)}
    report = double.sync()
    assert report.rejected == {}
    assert double.held() == double.wanted()
    assert max(call["bytes"] for call in double.tool.calls()) <= limits.body_bytes
    assert set(double.statuses()) <= {200, 201, 202, 204, 207}


@pytest.mark.needs("http", "batches")
def test_few_records_go_in_one_request(double: Double) -> None:
    double.customers(FEW)
    assert double.sync().requests == 1


@pytest.mark.needs("http", "slow")
def test_the_tools_own_rate_is_kept_without_a_429(double: Double) -> None:
    with_windows = REGISTRY[connector_of(double.name)].open(double.connection)
    most = min(window.requests for window in with_windows.attributes().windows)
    with_windows.close()
    double.customers((most + 20) * min(FEW, double.limits.items))
    report = double.sync()
    assert report.retries == 0
    assert 429 not in double.statuses()
    assert len(double.held()) == len(double.desired)


@pytest.mark.needs("http", "tells-rate")
@pytest.mark.parametrize("as_seconds", [True, False])
def test_a_smaller_rate_than_the_contract_is_heard_from_the_answers(
    double: Double, as_seconds: bool
) -> None:
    double.tool.turn(rate_limit=3, rate_window_s=60.0, reset_as_seconds=as_seconds)
    double.customers(7 * min(FEW, double.limits.items))
    report = double.sync()
    assert report.retries == 0
    assert double.time.slept_s >= 120
    assert double.held() == double.wanted()


@pytest.mark.needs("http")
@pytest.mark.parametrize("workers", [1, 8])
def test_a_rate_that_is_not_told_costs_retries_and_nobody(double: Double, workers: int) -> None:
    double.tool.turn(rate_limit=3, rate_window_s=2.0)
    double.customers(10 * min(FEW, double.limits.items))
    report = double.sync(workers=workers)
    assert (report.accepted, report.rejected) == (len(double.desired), {})
    assert double.held() == double.wanted()


@pytest.mark.needs("http")
@pytest.mark.parametrize("skew_s", [-7200.0, 7200.0])
def test_a_tools_clock_that_is_off_does_not_make_us_wait(double: Double, skew_s: float) -> None:
    double.tool.turn(rate_limit=3, rate_window_s=10.0, clock_skew_s=skew_s)
    double.customers(5 * min(FEW, double.limits.items))
    double.sync()
    assert double.time.slept_s <= 60
    assert double.held() == double.wanted()


@pytest.mark.needs("http")
@pytest.mark.parametrize(
    ("headers", "least_s"),
    [({}, 0.2), ({"Retry-After": "7"}, 7), ({"X-RateLimit-Retry-After": "7"}, 7),
     ({"X-RateLimit-Reset": "7"}, 7), ({"X-RateLimit-Reset": "1800000007"}, 6),
     ({"Retry-After": "soon"}, 0.2), ({"Retry-After": "-5"}, 0)],
)  # fmt: skip
def test_a_429_is_waited_out_by_whichever_header_it_has(
    double: Double, headers: dict[str, str], least_s: float
) -> None:
    double.customers(1)
    double.tool.fail("rate_limited", headers=headers)
    double.sync()
    assert least_s <= double.time.slept_s <= least_s + 3
    assert double.held() == double.wanted()
