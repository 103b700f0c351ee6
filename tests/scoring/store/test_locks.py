"""One holder at a time, also between machines."""

from __future__ import annotations

from scoring.store.client import Client
from scoring.store.keys import Keys
from scoring.store.locks import StoreLock
from tests.conftest import WORKSPACE


def lock(client: Client, name: str = "nightly") -> StoreLock:
    return StoreLock(client, WORKSPACE, name, ttl_s=60)


def test_only_one_holds_it(redis_client: Client) -> None:
    with lock(redis_client) as first, lock(redis_client) as second:
        assert first
        assert not second
    with lock(redis_client) as third:
        assert third


def test_locks_of_other_names_are_free(redis_client: Client) -> None:
    with lock(redis_client, "a") as first, lock(redis_client, "b") as second:
        assert first
        assert second


def test_a_dead_holder_loses_it(redis_client: Client) -> None:
    held = lock(redis_client)
    assert held.acquire()
    redis_client.pexpire(Keys(WORKSPACE).lock("nightly"), 0)  # its time is over
    other = lock(redis_client)
    assert other.acquire()
    assert not held.refresh()
    held.release()  # takes nothing from the new holder
    assert not lock(redis_client).acquire()
    other.release()


def test_refreshing_starts_its_time_anew(redis_client: Client) -> None:
    held = lock(redis_client)
    assert held.acquire()
    key = Keys(WORKSPACE).lock("nightly")
    redis_client.pexpire(key, 1000)
    assert held.refresh()
    assert redis_client.pttl(key) > 50_000


def test_a_lock_never_taken_is_not_refreshed(redis_client: Client) -> None:
    assert not lock(redis_client).refresh()
