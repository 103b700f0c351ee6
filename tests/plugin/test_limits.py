"""Limits: content is never refused, events are told to come again, administration fails closed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from plugin.app import create_app
from plugin.auth import EVENTS, SCOPES, Keys
from plugin.limits import Limits, Pace
from plugin.presence import Presence
from scoring.store.client import connect
from scoring.store.errors import StoreUnavailable
from settings.workspace import LimitSettings
from tests.conftest import WORKSPACE
from tests.plugin.conftest import error_code


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def allowed(pace: Pace, calls: int, key_id: str = "a") -> int:
    return sum(pace.allow(key_id) for _ in range(calls))


def test_two_seconds_worth_may_come_at_once_and_then_the_rate(clock):
    pace = Pace(100, clock=clock)
    assert allowed(pace, 1000) in (200, 201)
    clock.now += 1
    assert allowed(pace, 1000) in (99, 100, 101)


def test_a_key_that_was_silent_has_its_whole_burst_again_but_no_more(clock):
    pace = Pace(100, clock=clock)
    allowed(pace, 1000)
    clock.now += 3600
    assert allowed(pace, 1000) in (200, 201)


def test_one_key_s_flood_costs_another_nothing(clock):
    pace = Pace(10, clock=clock)
    allowed(pace, 1000, "loud")
    assert allowed(pace, 20, "quiet") == 20


def test_without_a_rate_everything_is_allowed(clock):
    assert allowed(Pace(None, clock=clock), 10_000) == 10_000


def test_who_is_told_to_wait_and_waits_is_let_in(clock):
    pace = Pace(0.5, clock=clock)
    while not (wait_s := pace.wait_s("a")):
        pass
    assert wait_s >= 1
    clock.now += wait_s
    assert pace.wait_s("a") == 0


@pytest.fixture
def limits(redis_url, clock):
    with connect(redis_url, send_time=True) as client:
        yield Limits(LimitSettings(administration_per_minute=3), Presence(client), wall_clock=clock)


def test_administration_is_counted_over_all_processes_and_by_the_minute(limits, redis_url, clock):
    with connect(redis_url, send_time=True) as client:
        other = Limits(
            LimitSettings(administration_per_minute=3), Presence(client), wall_clock=clock
        )
        assert [limits.administration_wait_s("shop", "a") for _ in range(3)] == [0, 0, 0]
        wait_s = other.administration_wait_s("shop", "a")
    assert 1 <= wait_s <= 60
    assert limits.administration_wait_s("shop", "b") == 0
    assert limits.administration_wait_s("other", "a") == 0
    clock.now += wait_s
    assert limits.administration_wait_s("shop", "a") == 0


def test_counters_leave_the_store_by_themselves(limits, redis_client):
    limits.administration_wait_s("shop", "a")
    (name,) = redis_client.keys("rs:{shop}:limit:*")
    assert 0 < redis_client.ttl(name) <= 120


def test_administration_is_refused_while_the_store_cannot_count(own_valkey, clock):
    with connect(own_valkey.url, send_time=True) as client:
        limits = Limits(LimitSettings(), Presence(client), wall_clock=clock)
        own_valkey.stop()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                limits.administration_wait_s("shop", "a")


def test_a_store_that_is_full_refuses_administration(own_valkey, clock):
    """It answers pings, but cannot count."""
    with connect(own_valkey.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
    with connect(own_valkey.url, send_time=True) as client:
        limits = Limits(LimitSettings(), Presence(client), wall_clock=clock)
        with pytest.raises(StoreUnavailable):
            limits.administration_wait_s("shop", "a")


@pytest.fixture
def narrow(settings, redis_url, published):
    """An app whose keys may make one administrative call a minute and few requests of events."""
    few = LimitSettings(events_per_s=1, administration_per_minute=1)
    app = create_app(replace(settings, limits=few), redis_url=redis_url)
    app.testing = False
    return app.test_client()


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/segments", "/v1/customers/customer-001"])
def test_bad_input_too_many_administrative_calls_are_told_when_to_come_again(narrow, key, path):
    answers = [narrow.get(path, headers={"X-Api-Key": key}) for _ in range(2)]
    assert answers[-1].status_code == 429
    assert error_code(answers[-1]) == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_bad_input_too_many_requests_with_events_are_told_when_to_come_again(narrow, settings):
    key = Keys(settings.workspace_dir(WORKSPACE)).create(EVENTS)[1]
    answers = [narrow.post("/v1/events", json={}, headers={"X-Api-Key": key}) for _ in range(4)]
    assert [each.status_code for each in answers] == [422, 422, 422, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_administration_without_a_store_is_503_with_a_time_to_come_again(settings):
    app = create_app(settings, redis_url="unix:///nowhere.sock")
    app.testing = False
    key = Keys(settings.workspace_dir(WORKSPACE)).create(SCOPES)[1]
    answer = app.test_client().get("/v1/runs", headers={"X-Api-Key": key})
    assert answer.status_code == 503
    assert error_code(answer) == "store_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1


def test_metrics_are_told_while_the_store_is_away(settings):
    app = create_app(settings, redis_url="unix:///nowhere.sock")
    key = Keys(settings.workspace_dir(WORKSPACE)).create(SCOPES)[1]
    assert app.test_client().get("/metrics", headers={"X-Api-Key": key}).status_code == 200


def test_an_error_of_the_store_is_an_absence(redis_url, clock):
    class Refusing:
        def pipeline(self, **_):
            raise redis.ResponseError("READONLY You can't write against a read only replica.")

    limits = Limits(LimitSettings(), Presence(Refusing()), wall_clock=clock)
    with pytest.raises(StoreUnavailable):
        limits.administration_wait_s("shop", "a")
