"""Segment jobs: what was asked, how far it is, and one end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scoring.store.client import Client
from scoring.store.keys import Keys
from scoring.store.segments import SegmentJobs
from tests.conftest import WORKSPACE

NOON = datetime(2017, 12, 4, 12, tzinfo=UTC)
REQUEST = {"name": "치즈", "target": {"categories": ["food > cheese"]}, "size": {"share": 0.2}}


@pytest.fixture
def jobs(redis_client: Client) -> SegmentJobs:
    return SegmentJobs(redis_client, WORKSPACE)


def test_a_new_job_waits_with_its_request(jobs: SegmentJobs) -> None:
    job, new = jobs.create(REQUEST, now=NOON)
    assert new
    assert job == jobs.get(job["id"])
    assert job["state"] == "queued"
    assert job["request"] == REQUEST
    assert job["created_at"] == "2017-12-04T12:00:00+00:00"
    assert job["progress"] is job["summary"] is job["error"] is job["finished_at"] is None


def test_a_job_runs_and_is_done(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    assert jobs.set_state(segment_id, "running", now=NOON) == "running"
    jobs.set_progress(segment_id, 0.25)
    running = jobs.get(segment_id)
    assert running is not None
    assert (running["state"], running["progress"]) == ("running", 0.25)
    assert jobs.set_state(segment_id, "done", summary={"customers": 7}, now=NOON) == "done"
    done = jobs.get(segment_id)
    assert done is not None
    assert (done["state"], done["summary"]) == ("done", {"customers": 7})
    assert done["finished_at"] == "2017-12-04T12:00:00+00:00"


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
@pytest.mark.parametrize("later", ["queued", "running", "done", "failed", "cancelled"])
def test_an_end_is_the_end(jobs: SegmentJobs, end: str, later: str) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    jobs.set_state(segment_id, end, error="first" if end == "failed" else None)
    assert jobs.set_state(segment_id, later, error="second") == end
    job = jobs.get(segment_id)
    assert job is not None
    assert job["error"] == ("first" if end == "failed" else None)


def test_a_worker_that_died_is_followed_by_another(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    jobs.set_state(segment_id, "running")
    assert jobs.set_state(segment_id, "running") == "running"
    assert jobs.set_state(segment_id, "done") == "done"


def test_a_waiting_job_is_cancelled_at_once(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    assert jobs.cancel(segment_id) == "cancelled"
    assert jobs.set_state(segment_id, "running") == "cancelled"


def test_a_running_job_is_asked_to_stop(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    jobs.set_state(segment_id, "running")
    assert not jobs.cancelled(segment_id)
    assert jobs.cancel(segment_id) == "running"
    assert jobs.cancelled(segment_id)
    job = jobs.get(segment_id)
    assert job is not None
    assert job["cancel_requested"]
    assert jobs.set_state(segment_id, "cancelled") == "cancelled"


def test_cancelling_what_is_done_changes_nothing(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    jobs.set_state(segment_id, "done")
    assert jobs.cancel(segment_id) == "done"
    assert not jobs.cancelled(segment_id)


def test_the_list_is_newest_first_and_can_be_paged(jobs: SegmentJobs) -> None:
    ids = [jobs.create(REQUEST, now=NOON + timedelta(minutes=m))[0]["id"] for m in range(5)]
    assert [job["id"] for job in jobs.list()] == ids[::-1]
    assert [job["id"] for job in jobs.list(limit=2, offset=1)] == [ids[3], ids[2]]
    assert jobs.list(limit=0) == []
    assert jobs.count() == 5


def test_the_same_idempotency_key_gives_the_same_job(jobs: SegmentJobs) -> None:
    first, new = jobs.create(REQUEST, now=NOON, idempotency_key="order 7")
    again, again_new = jobs.create({"name": "other"}, now=NOON, idempotency_key="order 7")
    assert (new, again_new) == (True, False)
    assert again == first
    other, other_new = jobs.create(REQUEST, now=NOON, idempotency_key="order 8")
    assert other_new
    assert other["id"] != first["id"]


def test_a_job_is_forgotten_when_deleted_and_after_thirty_days(
    jobs: SegmentJobs, redis_client: Client
) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    assert 29 * 86_400 < redis_client.ttl(Keys(WORKSPACE).segment(segment_id)) <= 30 * 86_400
    jobs.delete(segment_id)
    assert jobs.get(segment_id) is None
    assert jobs.list() == []


def test_jobs_whose_record_expired_are_not_listed(jobs: SegmentJobs, redis_client: Client) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    redis_client.delete(Keys(WORKSPACE).segment(segment_id))
    assert jobs.list() == []
    jobs.create(REQUEST, now=NOON + timedelta(days=31))
    assert jobs.count() == 1


def test_workspaces_have_their_own_jobs(jobs: SegmentJobs, redis_client: Client) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    other = SegmentJobs(redis_client, "other")
    assert other.get(segment_id) is None
    assert other.list() == []
    assert other.cancel(segment_id) is None


def test_bad_input_unknown_job(jobs: SegmentJobs, redis_client: Client) -> None:
    assert jobs.get("nothing") is None
    assert jobs.set_state("nothing", "done") is None
    assert jobs.cancel("nothing") is None
    assert not jobs.cancelled("nothing")
    assert redis_client.dbsize() == 0  # asking leaves nothing behind


def test_bad_input_unknown_state(jobs: SegmentJobs) -> None:
    segment_id = jobs.create(REQUEST, now=NOON)[0]["id"]
    with pytest.raises(ValueError, match="state 'tired', expected one of queued, running"):
        jobs.set_state(segment_id, "tired")
