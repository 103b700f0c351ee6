"""What the workers count themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugin import logs
from plugin.metrics import BUCKETS, MOST_SERIES, Metrics


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """(name, label values …) → value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_content_call_is_found_by_kind_and_by_reason():
    metrics = Metrics()
    metrics.content("for-you", 0.004)
    metrics.content("for-you", 0.2, "store_unavailable")
    metrics.content("cart", 0.002, None, "quiet_hours")
    found = samples(metrics.render())
    assert found["rightsend_content_seconds_count", "for-you"] == 2
    assert found["rightsend_content_seconds_bucket", "for-you", "0.005"] == 1
    assert found["rightsend_content_seconds_bucket", "for-you", "0.2"] == 2
    assert found["rightsend_content_seconds_sum", "for-you"] == pytest.approx(0.204)
    assert found["rightsend_content_fallbacks_total", "for-you", "store_unavailable"] == 1
    assert found["rightsend_content_unsent_total", "cart", "quiet_hours"] == 1


@pytest.mark.parametrize("seconds", [0.0, *BUCKETS, 30.0])
def test_a_call_counts_in_the_bucket_that_it_just_fits(seconds):
    metrics = Metrics()
    metrics.content("cart", seconds)
    found = samples(metrics.render())
    for bound in BUCKETS:
        counted = found["rightsend_content_seconds_bucket", "cart", str(bound)]
        assert counted == (1 if seconds <= bound else 0)
    assert found["rightsend_content_seconds_bucket", "cart", "+Inf"] == 1


def test_counting_goes_on_over_many_scrapes():
    metrics = Metrics()
    for number in range(1, 4):
        metrics.content("related", 0.01)
        metrics.round_trip(0.001)
        found = samples(metrics.render())
        assert found["rightsend_content_seconds_count", "related"] == number
        assert found[("rightsend_store_round_trip_seconds_count",)] == number


def test_no_call_is_lost_between_threads():
    metrics = Metrics()

    def call() -> None:
        for _ in range(2000):
            metrics.content("for-you", 0.001)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        metrics.flush()
    for thread in threads:
        thread.join()
    assert samples(metrics.render())["rightsend_content_seconds_count", "for-you"] == 16_000


def test_bad_input_endless_reasons_end_in_one_series():
    metrics = Metrics()
    for number in range(2 * MOST_SERIES):
        metrics.content("for-you", 0.001, f"reason-{number}")
    found = samples(metrics.render())
    fallbacks = {key: value for key, value in found.items() if "fallbacks_total" in key[0]}
    assert len(fallbacks) == MOST_SERIES + 1
    assert sum(fallbacks.values()) == 2 * MOST_SERIES


def test_memory_processor_time_and_own_gauges_are_told():
    metrics = Metrics()
    metrics.gauge("web_waiting_calls", "Calls that have no thread yet", lambda: 3.0)
    found = samples(metrics.render())
    assert found[("rightsend_web_waiting_calls",)] == 3
    assert 10e6 < found[("rightsend_web_resident_bytes",)] < 10e9
    assert found[("rightsend_web_cpu_seconds_total",)] >= 0


def test_loads_are_counted():
    metrics = Metrics()
    metrics.loaded(0.5, ok=True)
    metrics.loaded(0.25, ok=False)
    found = samples(metrics.render())
    assert found["rightsend_reader_loads_total", "failed"] == 1
    assert found[("rightsend_reader_load_seconds_total",)] == 0.75


def test_a_worker_that_ends_leaves_its_last_counts_to_the_others(tmp_path):
    program = (
        "from plugin.metrics import Metrics\n"
        "metrics = Metrics()\n"
        "metrics.content('for-you', 0.001)\n"
    )
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)
    show = "from plugin.metrics import Metrics; print(Metrics().render().decode())"
    shown = subprocess.run(
        [sys.executable, "-c", show], env=environ, check=True, capture_output=True
    )
    found = samples(shown.stdout)
    assert found["rightsend_content_seconds_count", "for-you"] == 1


class Ended(BaseException):
    """Ends the thread of a test."""


def test_a_flush_that_fails_does_not_end_the_counting(monkeypatch, capsys):
    """A gauge may read what is not there for a moment."""
    metrics, found = Metrics(), []
    monkeypatch.setattr("plugin.metrics.FLUSH_EVERY_S", 0.0)
    monkeypatch.setattr(logs, "_troubles", logs.Sampler(1))
    logs.configure("info")

    def read() -> float:
        found.append(1)
        if len(found) == 1:
            raise RuntimeError("not there")
        raise Ended

    metrics.gauge("odd", "What fails", read)
    with pytest.raises(Ended):
        metrics._flush_forever()
    (line,) = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["reason"]) == ("background work failed", "metrics")
    assert "RuntimeError" in line["exception"]
