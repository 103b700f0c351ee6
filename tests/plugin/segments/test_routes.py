"""Segment jobs through HTTP; the worker's own work is tested with the worker."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import types

import pytest
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from plugin.auth import Keys
from plugin.segments import routes
from plugin.segments.schema import to_json
from scoring.segment_request import SegmentRequest, SizeRule, Target
from scoring.store.segments import SegmentJobs
from tests.conftest import WORKSPACE
from tests.plugin.conftest import error_code

WANTED = to_json(SegmentRequest("cheese", Target(categories=("food",)), SizeRule(share=0.2)))
CSV = b"customer_id,rank,probability,arm\ncustomer-001,1,0.5,treatment\n"


@pytest.fixture
def queue(redis_client) -> Queue:
    return Queue("interactive", connection=redis_client, serializer=JSONSerializer)


@pytest.fixture
def jobs(redis_client) -> SegmentJobs:
    return SegmentJobs(redis_client, WORKSPACE)


@pytest.fixture
def worker(queue, redis_client, monkeypatch):
    """worker(function): run what is queued, with ``function`` as preview_segment."""

    def run(function) -> None:
        module = types.ModuleType("rightsend.jobs")
        module.preview_segment = function
        monkeypatch.setitem(sys.modules, "rightsend.jobs", module)
        worker = SimpleWorker([queue], connection=redis_client, serializer=JSONSerializer)
        worker.work(burst=True)

    return run


@pytest.fixture
def done(post, jobs, workspace_dir) -> str:
    """The id of a finished segment with one member."""
    segment_id = post("/v1/segments", WANTED).get_json()["id"]
    folder = workspace_dir / "segments" / segment_id
    folder.mkdir(parents=True)
    (folder / "members.csv.gz").write_bytes(gzip.compress(CSV))
    (folder / "members.ndjson.gz").write_bytes(gzip.compress(b'{"customer_id": "customer-001"}\n'))
    jobs.set_state(segment_id, "done", summary={"customers": 1})
    return segment_id


def test_a_new_job_is_queued_for_the_worker(post, get, queue):
    response = post("/v1/segments", WANTED)
    segment = response.get_json()
    assert (response.status_code, segment["state"]) == (202, "queued")
    assert response.headers["Location"] == f"/v1/segments/{segment['id']}"
    assert segment["request"] == WANTED
    (job,) = queue.jobs
    assert (job.func_name, job.args) == ("rightsend.jobs.run_segment", [WORKSPACE, segment["id"]])
    assert job.retries_left == 3
    assert get(f"/v1/segments/{segment['id']}").get_json() == segment


def test_the_newest_job_is_listed_first(post, get):
    made = [post("/v1/segments", WANTED | {"name": name}).get_json()["id"] for name in "ab"]
    listed = get("/v1/segments").get_json()["segments"]
    assert {segment["id"] for segment in listed} == set(made)
    assert len(get("/v1/segments", limit=1).get_json()["segments"]) == 1


def test_a_repeated_request_with_a_key_starts_one_job(post, queue):
    header = {"Idempotency-Key": "march-1"}
    answers = [post("/v1/segments", WANTED, **header).get_json() for _ in range(2)]
    assert answers[0]["id"] == answers[1]["id"]
    assert len(queue.jobs) == 1


def test_a_job_that_never_reached_the_queue_is_queued_by_the_repeated_request(post, queue):
    header = {"Idempotency-Key": "march-1"}
    post("/v1/segments", WANTED, **header)
    queue.empty()
    post("/v1/segments", WANTED, **header)
    assert len(queue.jobs) == 1


def test_bad_input_idempotency_key_of_another_request_is_409(post):
    header = {"Idempotency-Key": "march-1"}
    post("/v1/segments", WANTED, **header)
    response = post("/v1/segments", WANTED | {"name": "other"}, **header)
    assert (response.status_code, error_code(response)) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("value", ["", "x" * 201])
def test_bad_input_idempotency_key_of_wrong_length_is_422(post, value):
    response = post("/v1/segments", WANTED, **{"Idempotency-Key": value})
    assert (response.status_code, error_code(response)) == (422, "invalid_parameters")


def test_a_waiting_job_is_cancelled_at_once(post):
    segment_id = post("/v1/segments", WANTED).get_json()["id"]
    response = post(f"/v1/segments/{segment_id}/cancel")
    assert (response.status_code, response.get_json()["state"]) == (202, "cancelled")


def test_a_finished_job_stays_finished(post, done):
    assert post(f"/v1/segments/{done}/cancel").get_json()["state"] == "done"


def test_members_come_compressed_to_those_who_accept_it(client, key, done):
    response = client.get(
        f"/v1/segments/{done}/members",
        headers={"X-Api-Key": key, "Accept-Encoding": "gzip"},
        buffered=True,
    )
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data) == CSV
    assert response.mimetype == "text/csv"
    assert f'filename="{done}.csv"' in response.headers["Content-Disposition"]


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0"])
def test_members_come_plain_to_others(client, key, done, accepted):
    response = client.get(
        f"/v1/segments/{done}/members",
        headers={"X-Api-Key": key, "Accept-Encoding": accepted},
        buffered=True,
    )
    assert "Content-Encoding" not in response.headers
    assert response.data == CSV


def test_members_come_as_lines_of_json(get, done):
    response = get(f"/v1/segments/{done}/members", format="ndjson")
    assert json.loads(response.data) == {"customer_id": "customer-001"}
    assert response.mimetype == "application/x-ndjson"


def test_a_push_is_queued(post, queue, done):
    response = post(f"/v1/segments/{done}/push", {"connection": "sandbox"})
    assert (response.status_code, response.get_json()["connection"]) == (202, "sandbox")
    assert queue.jobs[-1].args == [WORKSPACE, done, "sandbox"]


def test_a_preview_is_answered_when_the_worker_is_quick(client, key, queue, worker):
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(
            client.post("/v1/segments/preview", json=WANTED, headers={"X-Api-Key": key})
        )
    )
    caller.start()
    while caller.is_alive():
        worker(lambda workspace, request: {"curve": [], "name": request["name"]})
        caller.join(0.05)
    document = answers[0].get_json()
    assert (answers[0].status_code, document["state"]) == (200, "done")
    assert document["preview"] == {"curve": [], "name": "cheese"}


def test_a_preview_that_takes_longer_is_asked_for_again(post, get, worker, monkeypatch):
    monkeypatch.setattr(routes, "PREVIEW_WAIT_S", 0)
    first = post("/v1/segments/preview", WANTED)
    job = first.get_json()["job"]
    assert (first.status_code, first.get_json()["preview"]) == (202, None)
    assert get(f"/v1/segments/previews/{job}").status_code == 202
    worker(lambda workspace, request: {"curve": [1]})
    assert get(f"/v1/segments/previews/{job}").get_json()["preview"] == {"curve": [1]}


def test_bad_input_preview_that_the_worker_refuses_is_422(post, get, worker, monkeypatch):
    monkeypatch.setattr(routes, "PREVIEW_WAIT_S", 0)
    job = post("/v1/segments/preview", WANTED).get_json()["job"]
    worker(lambda workspace, request: {"error": "there is no category 'food'"})
    response = get(f"/v1/segments/previews/{job}")
    assert (response.status_code, error_code(response)) == (422, "preview_impossible")


def test_previews_that_wait_leave_threads_to_others(post, monkeypatch):
    monkeypatch.setattr(routes, "_WAITING", threading.BoundedSemaphore(1))
    routes._WAITING.acquire()
    assert post("/v1/segments/preview", WANTED).status_code == 202


def test_a_job_of_one_workspace_does_not_exist_for_another(client, settings, post, monkeypatch):
    monkeypatch.setattr(routes, "PREVIEW_WAIT_S", 0)
    job = post("/v1/segments/preview", WANTED).get_json()["job"]
    segment_id = post("/v1/segments", WANTED).get_json()["id"]
    _, other = Keys(settings.workspace_dir("other")).create("segments")
    for path in (f"previews/{job}", segment_id, f"{segment_id}/members"):
        response = client.get(f"/v1/segments/{path}", headers={"X-Api-Key": other})
        assert response.status_code == 404


@pytest.mark.parametrize("action", ["members", "push"])
def test_bad_input_segment_that_is_not_done_is_409(get, post, action):
    segment_id = post("/v1/segments", WANTED).get_json()["id"]
    path = f"/v1/segments/{segment_id}/{action}"
    response = get(path) if action == "members" else post(path, {"connection": "sandbox"})
    assert (response.status_code, error_code(response)) == (409, "segment_not_done")


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fkeys.json", "preview", "%00"])
def test_bad_input_unknown_segment_is_404(get, post, name):
    assert get(f"/v1/segments/{name}/members").status_code == 404
    assert post(f"/v1/segments/{name}/cancel").status_code == 404


def test_bad_input_unknown_preview_is_404(get):
    response = get("/v1/segments/previews/shop-nothing")
    assert (response.status_code, error_code(response)) == (404, "unknown_preview")


def test_bad_input_unknown_connection_is_422_and_names_the_known(post, done):
    response = post(f"/v1/segments/{done}/push", {"connection": "braze"})
    assert (response.status_code, error_code(response)) == (422, "unknown_connection")
    assert "sandbox" in response.get_json()["error"]["message"]


def test_bad_input_format_of_members_is_422(get, done):
    assert get(f"/v1/segments/{done}/members", format="xlsx").status_code == 422


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/segments/preview"])
def test_bad_input_segment_request_is_422_and_nothing_is_queued(post, queue, path):
    response = post(path, {"name": "x", "size": {"share": 2}})
    assert (response.status_code, error_code(response)) == (422, "invalid_parameters")
    assert set(response.get_json()["error"]["details"]) == {"target", "size"}
    assert queue.jobs == []
