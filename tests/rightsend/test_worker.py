from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from rightsend import clock, process, worker
from tests.rightsend.waiting import until

JOBS = "tests.rightsend.jobs_of_tests"
WORKER = f"""
import sys, warnings
from rightsend import worker
from scoring.store.client import connect
from {JOBS} import note
given_up = lambda _, args, why: note(args[0], "given-up:" + why.split(": ")[-1].replace(" ", "_"))
worker.run(connect(sys.argv[1]), "interactive", given_up=given_up)
"""


@pytest.fixture
def queue(client) -> Queue:
    return Queue("interactive", connection=client, serializer=JSONSerializer)


@pytest.fixture
def start(redis_url: str, client) -> Iterator:
    started = []

    def starter() -> subprocess.Popen:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, redis_url],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return started[-1]

    yield starter
    for each in started:
        each.kill()
        each.wait()


def words(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_job_runs_and_its_result_can_be_read(queue: Queue, start, tmp_path: Path) -> None:
    start()
    job = queue.enqueue(f"{JOBS}.note", str(tmp_path / "notes"), "hello")
    until(lambda: job.get_status() == JobStatus.FINISHED)
    assert job.latest_result().return_value == "hello"


def test_a_job_survives_the_death_of_its_worker(queue: Queue, start, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = start()
    queue.enqueue(f"{JOBS}.hang_once", str(notes))
    until(lambda: words(notes) == ["began"])
    horse = int(notes.read_text().split()[1])
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: process.started_at(horse) is None, what="the end of the work-horse")
    start()
    until(lambda: words(notes) == ["began", "done"], within_s=10, what="taking the job up again")


def test_a_job_is_tried_again_when_its_own_process_is_killed_but_not_for_ever(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    start()
    job = queue.enqueue(f"{JOBS}.kill_itself", str(notes))
    until(lambda: any(word.startswith("given-up") for word in words(notes)), within_s=30)
    assert words(notes).count("began") == worker.MAX_ATTEMPTS
    until(lambda: job.get_status() == JobStatus.FAILED)


def test_a_job_that_asked_for_a_pause_before_its_retry_gets_it(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    start()
    queue.enqueue(f"{JOBS}.fail", str(notes), retry=Retry(max=1, interval=[1]))
    until(lambda: words(notes)[:2] == ["began", "began"], within_s=20)


def test_a_worker_that_is_asked_to_stop_finishes_its_job_first(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    running = start()
    job = queue.enqueue(f"{JOBS}.note", str(notes), "hello")
    until(lambda: words(notes) == ["hello"])
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    assert job.get_status() == JobStatus.FINISHED


def test_recovering_twice_takes_a_job_up_once(queue: Queue, start, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    dead = start()
    queue.enqueue(f"{JOBS}.hang_once", str(notes))
    until(lambda: words(notes) == ["began"])
    dead.kill()
    dead.wait()
    recovered = [worker.recover(queue, given_up=lambda *_: None) for _ in range(3)]
    assert recovered == [1, 0, 0]
    assert len(queue.get_job_ids()) == 1


def test_whether_a_worker_lives_is_told_by_its_name() -> None:
    import os

    assert worker.lives(worker.worker_name(os.getpid())) is True
    assert worker.lives(f"{socket.gethostname()}.{os.getpid()}.1") is False
    assert worker.lives("another-host.17.99") is None


def test_a_job_without_a_result_that_was_taken_up_again_is_done_in_the_end(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    dead = start()
    job = queue.enqueue_call(f"{JOBS}.hang_once", args=(str(notes),), result_ttl=0)
    until(lambda: words(notes) == ["began"])
    dead.kill()
    dead.wait()
    start()
    until(lambda: words(notes) == ["began", "done"], within_s=10)
    until(lambda: queue.fetch_job(job.id) is None, what="the end of the job")
    assert words(notes) == ["began", "done"]  # and not given up afterwards


def test_a_draining_that_was_given_up_does_not_keep_the_next_one_away(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    dead = start()
    job = queue.enqueue_call(
        f"{JOBS}.hang_once", args=(str(notes),), job_id="one", unique=True, failure_ttl=1,
        meta={"attempts": worker.MAX_ATTEMPTS - 1},
    )  # fmt: skip
    until(lambda: words(notes) == ["began"])
    dead.kill()
    dead.wait()
    given_up: list[str] = []
    worker.recover(queue, given_up=lambda function, *_: given_up.append(function))
    assert given_up == [f"{JOBS}.hang_once"]
    until(lambda: queue.fetch_job(job.id) is None, within_s=5)
    queue.enqueue_call(f"{JOBS}.note", args=("x", "y"), job_id="one", unique=True)


def test_two_clocks_enqueue_a_scheduled_job_once(queue: Queue) -> None:
    line = clock.Scheduled("shop", "run_nightly", clock.trigger_of("0 3 * * *", "UTC"))
    now = datetime(2026, 3, 1, 3, 0, 2, tzinfo=UTC)
    first = clock.enqueue_due(line, queue, now=now)
    second = clock.enqueue_due(line, queue, now=now.replace(second=41))
    assert (first, second) == ("shop-run_nightly-20260301T0300Z", None)
    assert queue.get_job_ids() == [first]


def test_the_next_night_is_another_job(queue: Queue) -> None:
    line = clock.Scheduled("shop", "run_nightly", clock.trigger_of("0 3 * * *", "UTC"))
    nights = [datetime(2026, 3, day, 3, 0, 2, tzinfo=UTC) for day in (1, 2)]
    assert all(clock.enqueue_due(line, queue, now=now) for now in nights)
    assert len(queue.get_job_ids()) == 2


def test_what_is_not_due_is_not_enqueued(queue: Queue) -> None:
    line = clock.Scheduled("shop", "run_nightly", clock.trigger_of("0 3 * * *", "UTC"))
    assert clock.enqueue_due(line, queue, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) is None
    assert queue.is_empty()


def test_draining_is_asked_for_once_while_it_waits(queue: Queue) -> None:
    assert clock.enqueue_drain("shop", queue)
    assert not clock.enqueue_drain("shop", queue)
    assert clock.enqueue_drain("other", queue)


def test_bad_input_an_id_that_is_taken_is_refused_by_the_queue(queue: Queue) -> None:
    queue.enqueue_call(f"{JOBS}.note", args=("x", "y"), job_id="one", unique=True)
    with pytest.raises(DuplicateJobError):
        queue.enqueue_call(f"{JOBS}.note", args=("x", "y"), job_id="one", unique=True)


def test_a_job_that_fails_for_good_is_told_with_the_reason(
    queue: Queue, start, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    start()
    queue.enqueue(f"{JOBS}.fail", str(notes))
    until(lambda: words(notes) == ["began", "given-up:no_luck"])
