"""Notes of what was opened and followed."""

from __future__ import annotations

import pytest
import redis

from scoring.store.keys import Keys
from scoring.store.taps import MOST_TAPS, TAPS_TTL_S, NotedTap, Taps
from tests.conftest import WORKSPACE

ANNA, BORIS = b"a" * 12, b"b" * 12


def test_what_is_noted_is_read_in_order_of_time(redis_client):
    taps = Taps(redis_client, WORKSPACE)
    late, early = NotedTap(b"page", "한", 2000), NotedTap(b"page", "", 1000)
    taps.note([(ANNA, late), (ANNA, early), (ANNA, late), (BORIS, late)])
    assert taps.of([ANNA, BORIS, b"c" * 12]) == {
        ANNA: [early, late], BORIS: [late], b"c" * 12: [],
    }  # fmt: skip


def test_notes_are_bounded_and_go_away(redis_client):
    taps = Taps(redis_client, WORKSPACE)
    taps.note([(ANNA, NotedTap(b"page", "x", at)) for at in range(MOST_TAPS + 10)])
    assert [tap.at_ms for tap in taps.of([ANNA])[ANNA]][:1] == [10]
    assert 0 < redis_client.ttl(Keys(WORKSPACE).taps(ANNA)) <= TAPS_TTL_S


def test_nothing_costs_nothing():
    with redis.Redis(port=1) as nowhere:
        Taps(nowhere, WORKSPACE).note([])
        assert Taps(nowhere, WORKSPACE).of([]) == {}


@pytest.mark.parametrize("rubbish", [b"", b"short"])
def test_bad_input_rubbish_among_the_notes_is_passed_over(redis_client, rubbish):
    redis_client.zadd(Keys(WORKSPACE).taps(ANNA), {rubbish: 1})
    assert Taps(redis_client, WORKSPACE).of([ANNA]) == {ANNA: []}
