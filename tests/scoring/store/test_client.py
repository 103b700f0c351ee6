"""Clients from URLs, and clear words for URLs that cannot be used."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis

from rightsend.valkey import EmbeddedValkey
from scoring.store.client import connect
from scoring.store.errors import StoreUrlError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://example.org:6380/3", {"host": "example.org", "port": 6380, "db": 3}),
        ("valkey://:word@example.org", {"host": "example.org", "password": "word"}),
        ("valkeys://example.org", {"host": "example.org"}),
        ("unix:///run/a%20b.sock?db=2", {"path": "/run/a b.sock", "db": 2}),
    ],
)
def test_urls_are_understood(url: str, expected: dict[str, object]) -> None:
    client = connect(url)
    assert isinstance(client, redis.Redis)
    options = client.connection_pool.connection_kwargs
    assert {name: options[name] for name in expected} == expected


def test_a_send_time_client_gives_up_at_once(own_valkey: EmbeddedValkey) -> None:
    with connect(own_valkey.url, send_time=True) as client:
        client.ping()
        client.client_pause(500, all=True)
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            client.get("key")
        assert time.monotonic() - started < 0.3


def test_a_bounded_client_asks_a_server_that_hangs_only_once(own_valkey: EmbeddedValkey) -> None:
    with connect(own_valkey.url, within_s=0.3) as client:
        client.ping()
        client.client_pause(2000, all=True)
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            client.get("key")
        assert time.monotonic() - started < 0.6


def test_a_bounded_client_outlasts_a_restart(own_valkey: EmbeddedValkey) -> None:
    with connect(own_valkey.url, within_s=2.0) as client:
        client.set("key", "value")
        own_valkey.stop()
        own_valkey.start()
        own_valkey.wait_ready()
        assert client.get("key") == b"value"


def test_a_patient_client_outlasts_a_restart(own_valkey: EmbeddedValkey) -> None:
    with connect(own_valkey.url) as client:
        client.set("key", "value")
        own_valkey.stop()
        own_valkey.start()
        assert client.get("key") == b"value"


def test_a_cluster_that_is_away_is_met_at_the_first_call() -> None:
    client = connect("redis+cluster://127.0.0.1:1", send_time=True)
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.get("key")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("localhost:6379", "found a text without ://"),
        ("", "found a text without ://"),
        ("http://example.org", "found http://…, expected redis://"),
        ("redis+cluster://host:1?socket_timeout=x", "Invalid value for 'socket_timeout'"),
        ("redis://", "found no host"),
        ("unix://", "found no path"),
        ("redis://host:port", "the port is no number"),
        ("redis://host:99999", "the port is no number"),
        ("redis://host:6379/0?socket_timeout=soon", "Invalid value for 'socket_timeout'"),
    ],
)
def test_bad_input_url(url: str, says: str) -> None:
    with pytest.raises(StoreUrlError, match=says):
        connect(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hush@host:port/0",
        "redis://:hu:sh/hush@host:1",
        "hush://user:hush@host",
        "redis://:hush@host:1?socket_timeout=x",
    ],
)
def test_bad_input_url_never_shows_the_password(url: str) -> None:
    with pytest.raises(StoreUrlError) as problem:
        connect(url)
    assert "hush" not in str(problem.value).replace("found hush://", "")


def test_a_client_shows_no_password(tmp_path: Path) -> None:
    assert "hush" not in repr(connect("redis://:hush@localhost"))
