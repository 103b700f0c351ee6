"""What a scrape reads from store and disk: true, cheap, and never the reason for a failure."""

from __future__ import annotations

import json
import time

import pytest
from prometheus_client import generate_latest
from rq import Queue
from rq.serializers import JSONSerializer

from plugin.app import create_app
from plugin.runtime import Runtime
from plugin.scrape import FRESH_S, Scrape
from scoring.decision_ledger import FILE, GRACE_S, Ledger
from scoring.store.client import connect
from scoring.store.keys import CLOCK
from tests.conftest import WORKSPACE
from tests.plugin.test_metrics import samples


class Bench:
    """A scrape of ``shop`` at a time that the test sets."""

    def __init__(self, app, client) -> None:
        found: Runtime = app.extensions["rightsend"]
        self.workspace = found.workspaces[WORKSPACE]
        self.now_s = 100.0
        self.wall_s = time.time()
        self.scrape = Scrape(client, clock=lambda: self.now_s, wall_s=lambda: self.wall_s)

    def __call__(self) -> dict[tuple[str, ...], float]:
        registries = self.scrape.registries(self.workspace)
        return samples(b"".join(map(generate_latest, registries)))

    def later(self) -> dict[tuple[str, ...], float]:
        self.now_s += FRESH_S
        return self()


@pytest.fixture
def bench(app, redis_url):
    with connect(redis_url, send_time=True) as client:
        yield Bench(app, client)


def test_the_store_and_the_snapshot_are_told(bench, published):
    found = bench()
    assert found[("rightsend_store_up",)] == 1
    assert found[("rightsend_store_used_bytes",)] > 100_000
    assert found["rightsend_snapshot_customers", WORKSPACE] == 40
    assert 0 <= found["rightsend_snapshot_age_seconds", WORKSPACE] < 3600


def test_before_the_first_night_there_is_no_age(bench):
    found = bench()
    assert found[("rightsend_store_up",)] == 1
    assert ("rightsend_snapshot_age_seconds", WORKSPACE) not in found
    assert ("rightsend_night_outcome", "done", WORKSPACE) not in found


def test_events_on_their_way_are_counted_and_age(bench, post, published):
    assert bench()["rightsend_stream_entries", "events", WORKSPACE] == 0
    post("/v1/events", {"identifier": "a", "event_type": "view", "item_id": "item-03"})
    bench.wall_s = time.time() + 30
    found = bench.later()
    assert found["rightsend_stream_entries", "events", WORKSPACE] == 1
    assert 29 < found["rightsend_stream_oldest_age_seconds", "events", WORKSPACE] < 40


def test_jobs_are_counted_by_queue_and_state(bench, redis_client):
    queue = Queue("nightly", connection=redis_client, serializer=JSONSerializer)
    queue.enqueue_call("rightsend.jobs.run_nightly", args=("shop",))
    bench.wall_s = time.time() + 60
    found = bench()
    assert found["rightsend_jobs", "nightly", "waiting"] == 1
    assert found["rightsend_jobs", "interactive", "waiting"] == 0
    assert 59 < found["rightsend_jobs_oldest_age_seconds", "nightly"] < 70
    assert found["rightsend_workers", "nightly"] == 0


def test_the_clocks_sign_of_life_ages(bench, redis_client):
    assert ("rightsend_clock_age_seconds",) not in bench()
    redis_client.set(CLOCK, bench.wall_s - 7)
    assert bench.later()[("rightsend_clock_age_seconds",)] == pytest.approx(7)


def test_the_last_night_that_ended_is_told_while_another_runs(bench, workspace_dir):
    for run, state, ended in (
        ("r1", "gated", "2017-12-01T03:10:00+00:00"),
        ("r2", "running", None),
    ):
        folder = workspace_dir / "runs" / run
        folder.mkdir(parents=True)
        began = f"2017-12-0{run[1]}T03:00:00+00:00"
        document = {"run": run, "state": state, "started_at": began, "finished_at": ended}
        (folder / "run.json").write_text(json.dumps(document))
    found = bench()
    assert found["rightsend_night_duration_seconds", WORKSPACE] == 600
    assert found["rightsend_night_outcome", "gated", WORKSPACE] == 1
    assert found["rightsend_night_outcome", "done", WORKSPACE] == 0
    assert found["rightsend_night_running", WORKSPACE] == 1


def test_many_scrapes_ask_the_store_once(bench, published):
    before = bench()[("rightsend_store_up",)]
    bench.scrape._client = None  # asking would fail
    assert bench()[("rightsend_store_up",)] == before == 1


def test_fault_without_the_store_the_scrape_is_shorter_and_quick(app):
    with connect("redis://127.0.0.1:1/0", send_time=True) as client:
        bench = Bench(app, client)
        began = time.monotonic()
        found = bench()
        assert time.monotonic() - began < 1.0
    assert found[("rightsend_store_up",)] == 0
    assert found["rightsend_night_running", WORKSPACE] == 0


def test_fault_a_store_that_hangs_delays_the_scrape_by_less_than_a_second(
    own_valkey, settings, workspace_dir
):
    app = create_app(settings, redis_url=own_valkey.url)
    with connect(own_valkey.url, send_time=True) as client, connect(own_valkey.url) as patient:
        bench = Bench(app, client)
        assert bench()[("rightsend_store_up",)] == 1
        patient.client_pause(2000, all=True)
        began = time.monotonic()
        assert bench.later()[("rightsend_store_up",)] == 0
        assert time.monotonic() - began < 1.0


def test_a_decision_that_comes_after_all_is_no_longer_lost(bench, workspace_dir):
    lake = workspace_dir / "lake"
    lake.mkdir()
    ledger = Ledger()
    ledger.add("web-1", 5, 9, ended=True, at_s=bench.wall_s - GRACE_S)
    ledger.save(lake)
    assert bench()["rightsend_decisions_lost", WORKSPACE] == 5
    ledger.add("web-1", 0, 3, ended=False, at_s=bench.wall_s)
    ledger.save(lake)
    found = bench.later()
    assert found["rightsend_decisions_lost", WORKSPACE] == 2
    assert found["rightsend_decisions_logged_total", WORKSPACE] == 7


def test_bad_input_a_damaged_ledger_of_decisions_leaves_the_rest(bench, workspace_dir):
    (workspace_dir / "lake").mkdir()
    (workspace_dir / "lake" / FILE).write_text("{")
    assert bench()[("rightsend_store_up",)] == 1
