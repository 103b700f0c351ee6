"""A generation that cannot be loaded: what was there before goes on, quickly, and is told once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from scoring.snapshot import Snapshot
from scoring.store import following
from scoring.store.client import Client
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.following import LOAD_WAIT_S, RETRY_AFTER_S, Following
from scoring.store.keys import Keys
from scoring.store.live import remember
from scoring.store.published import Layout, Pointer, PublishedSnapshot, in_memory
from scoring.store.read import Reader
from tests.conftest import WORKSPACE

KEYS = Keys(WORKSPACE)
QUICK_S = LOAD_WAIT_S / 2  # a call that waited for no loading
FAILURES = (
    StoreUnavailable("loading"),
    RecordError("rubbish"),
    OSError("disk"),
    following.redis.TimeoutError("late"),
    KeyError("snapshot"),
)


def generation(name: str) -> PublishedSnapshot:
    return in_memory(Layout(name, {"snapshot": name}, 0, 0, [], [], []), [], [])


class Loads:
    """In the place of loading: each generation gives ``found`` of it, raising exceptions; a
    ``gate`` that is closed holds it up."""

    def __init__(self) -> None:
        self.found: dict[str, PublishedSnapshot | Exception] = {}
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, _client: Any, _keys: Any, name: str, _folder: Any) -> PublishedSnapshot:
        self.asked.append(name)
        assert self.gate.wait(10)
        found = self.found[name]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    found = Loads()
    monkeypatch.setattr(following, "load", found)
    return found


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def follows(loads: Loads, clock: Clock, redis_client: Client) -> Following:
    """Holds the generation ``old``."""
    found = Following(redis_client, KEYS, None, clock=clock)
    loads.found["old"] = generation("old")
    assert name_of(found, "old") == "old"
    loads.asked.clear()
    return found


def name_of(follows: Following, wanted: str) -> str | None:
    found = follows.follow(wanted)
    return found and found.generation


def settled(follows: Following) -> None:
    """Waits until nothing is being loaded."""
    deadline = time.monotonic() + 10
    while follows._loading is not None:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("problem", FAILURES, ids=lambda problem: type(problem).__name__)
def test_whatever_fails_the_latest_stays_in_use(
    follows: Following, loads: Loads, problem: Exception
) -> None:
    loads.found["new"] = problem
    for _ in range(3):
        assert name_of(follows, "new") == "old"
        assert not follows.loading
    assert loads.asked == ["new"]  # and not by every call


@pytest.mark.parametrize("problem", FAILURES, ids=lambda problem: type(problem).__name__)
def test_bad_input_without_a_latest_the_failure_is_told(
    redis_client: Client, loads: Loads, problem: Exception
) -> None:
    loads.found["new"] = problem
    first = Following(redis_client, KEYS, None)
    known = isinstance(
        problem, StoreUnavailable | RecordError | OSError | following.redis.RedisError
    )
    with pytest.raises(type(problem) if known else StoreUnavailable):
        first.follow("new")
    with pytest.raises(StoreUnavailable, match="could not be loaded"):  # within the pause
        first.follow("new")
    assert not first.loading


def test_a_failure_is_logged_once_a_generation_and_counted_each_time(
    follows: Following, loads: Loads, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[bool] = []
    monkeypatch.setattr(
        follows._watch, "loaded", lambda _seconds, ok: counted.append(ok), raising=False
    )
    loads.found |= {"new": RecordError("rubbish"), "newer": KeyError("x")}
    with capture_logs() as lines:
        for name in ("new", "new", "newer"):
            follows.follow(name)
            settled(follows)
            clock.now_s += RETRY_AFTER_S
        deadline = time.monotonic() + 10
        while len(lines) < 2:  # told when no call waits any more
            assert time.monotonic() < deadline
    told = [(line["log_level"], line["event"], line["generation"]) for line in lines]
    assert told == [("error", "snapshot not loaded", name) for name in ("new", "newer")]
    assert counted == [False, False, False]


def test_a_failed_generation_is_tried_again_after_a_pause(
    follows: Following, loads: Loads, clock: Clock
) -> None:
    loads.found["new"] = RecordError("rubbish")
    assert name_of(follows, "new") == "old"
    loads.found["new"] = generation("new")
    clock.now_s += RETRY_AFTER_S * 0.9
    assert name_of(follows, "new") == "old"
    assert loads.asked == ["new"]
    clock.now_s += RETRY_AFTER_S * 0.1
    follows.follow("new")
    settled(follows)
    assert name_of(follows, "new") == "new"
    assert loads.asked == ["new", "new"]


def test_no_call_waits_for_what_failed_before(
    follows: Following, loads: Loads, clock: Clock
) -> None:
    loads.found["new"] = RecordError("rubbish")
    follows.follow("new")
    clock.now_s += RETRY_AFTER_S
    loads.gate.clear()
    started = time.monotonic()
    for _ in range(5):
        assert name_of(follows, "new") == "old"
        assert not follows.loading  # calls are answered in the loop as ever
    assert time.monotonic() - started < 5 * QUICK_S
    loads.gate.set()
    settled(follows)
    assert loads.asked == ["new", "new"]


def test_another_generation_than_the_failed_one_is_loaded_at_once(
    follows: Following, loads: Loads
) -> None:
    loads.found |= {"new": RecordError("rubbish"), "newer": generation("newer")}
    assert name_of(follows, "new") == "old"
    assert name_of(follows, "newer") == "newer"


def test_an_older_loading_that_ends_leaves_the_newer_one_to_be_waited_for(
    follows: Following, loads: Loads
) -> None:
    loads.found |= {"new": RecordError("rubbish"), "newer": generation("newer")}
    loads.gate.clear()
    older = threading.Thread(target=follows.follow, args=("new",))
    older.start()
    while not loads.asked:
        pass
    newer = threading.Thread(target=follows.follow, args=("newer",))
    newer.start()
    loads.gate.set()
    older.join()
    newer.join()
    settled(follows)
    assert name_of(follows, "newer") == "newer"
    assert loads.asked == ["new", "newer"]


# with the store


@pytest.fixture(params=["items", "related", "meta", "count"])
def damaged(
    request: pytest.FixtureRequest,
    published: Snapshot,
    reader: Reader,
    redis_client: Client,
) -> Callable[[], object]:
    """The pointer names a generation that cannot be loaded, while the one that the reader holds is
    there; calling this repairs it."""
    held = reader.published().generation
    for key in (KEYS.items, KEYS.related):
        redis_client.copy(key(held, 0), key("new", 0))
    raw: Any = redis_client.get(KEYS.meta(held))
    layout = Layout.unpack(raw)._replace(generation="new")
    redis_client.set(KEYS.meta("new"), layout.pack())
    for name in redis_client.keys(f"*:c:{held}"):
        redis_client.copy(name, name.replace(held.encode(), b"new"))
    part = request.param
    key = {"items": KEYS.items("new", 0), "related": KEYS.related("new", 0)}.get(
        part, KEYS.meta("new")
    )
    kept: Any = redis_client.get(key)
    wrong = layout._replace(published_items=layout.published_items + 1).pack()
    redis_client.set(key, wrong if part == "count" else b"rubbish")
    pointer = Pointer("new", published.meta.snapshot)
    redis_client.set(KEYS.pointer, pointer.pack())
    return lambda: redis_client.set(key, kept)


def test_calls_stay_personal_and_quick_and_a_repaired_generation_is_taken(
    damaged: Callable[[], object], reader: Reader
) -> None:
    assert reader.read("customer-001").items()  # the one that tried
    started = time.monotonic()
    for _ in range(20):
        reading = reader.read("customer-001")
        assert reading.items()
        assert reading.published.generation != "new"
        assert not reader.loading
    assert time.monotonic() - started < 20 * QUICK_S
    damaged()
    deadline = time.monotonic() + RETRY_AFTER_S + 0.5
    while reader.read("customer-001").published.generation != "new":
        assert time.monotonic() < deadline, "the repaired generation was not taken"
    assert reader.read("customer-001").items()


def test_live_items_go_on_while_a_generation_cannot_be_loaded(
    damaged: Callable[[], object], reader: Reader, redis_client: Client
) -> None:
    best = reader.read("customer-001").items()[0].item.id
    remember(redis_client, KEYS, [(best, {"stock": 0}, 1.0)], 1.0)
    deadline = time.monotonic() + 5
    while best in [each.item.id for each in reader.read("customer-001").items()]:
        assert time.monotonic() < deadline, "what is sold out is still shown"


def test_who_is_not_known_is_so_while_the_old_generation_is_there(
    damaged: Callable[[], object], reader: Reader, redis_client: Client
) -> None:
    for _ in range(2):
        reading = reader.read("device_id:new")
        assert (reading.customer_known, reading.customer) == (
            False,
            reader.hash_of("device_id:new"),
        )
    held = reader.read().published.generation
    redis_client.delete(KEYS.meta(held), *redis_client.keys(f"*:c:{held}"))
    for customer in ("device_id:new", "customer-001"):
        with pytest.raises(StoreUnavailable, match="being loaded"):
            reader.read(customer)


def test_bad_input_columns_written_from_damage_are_not_kept(
    published: Snapshot, reader: Reader, redis_client: Client, workspace_dir: Path
) -> None:
    """A count that does not fit is only seen once the file is written."""
    raw: Any = redis_client.get(KEYS.pointer)
    name = Pointer.unpack(raw).generation
    meta: Any = redis_client.get(KEYS.meta(name))
    layout = Layout.unpack(meta)
    redis_client.set(KEYS.meta(name), layout._replace(published_items=1).pack())
    with pytest.raises(StoreUnavailable):
        reader.read("customer-001")
    assert not list((workspace_dir / "published").glob("*.columns"))
