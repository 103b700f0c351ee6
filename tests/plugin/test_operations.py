"""Runs and snapshots."""

from __future__ import annotations

import json

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from tests.conftest import WORKSPACE
from tests.factories import make_snapshot
from tests.plugin.conftest import error_code


@pytest.fixture
def runs(workspace_dir):
    """Three nights, one of them being written."""
    for day in (1, 2):
        folder = workspace_dir / "runs" / f"r{day}"
        folder.mkdir(parents=True)
        run = {"run": f"r{day}", "state": "done", "started_at": f"2017-12-0{day}T03:00:00+00:00",
               "steps": [{"name": "import", "state": "done", "seconds": 1.5}]}  # fmt: skip
        (folder / "run.json").write_text(json.dumps(run))
    (workspace_dir / "runs" / "r3").mkdir()
    (workspace_dir / "runs" / "r3" / "run.json").write_text('{"run":')
    (workspace_dir / "runs" / "r4").mkdir()
    (workspace_dir / "runs" / "r4" / "run.json").write_text("{}")


def test_runs_come_newest_first_and_half_written_ones_later(get, runs):
    found = get("/v1/runs").get_json()["runs"]
    assert [run["run"] for run in found] == ["r2", "r1"]
    assert [run["run"] for run in get("/v1/runs", limit=1).get_json()["runs"]] == ["r2"]


def test_one_run_has_its_steps(get, runs):
    assert get("/v1/runs/r1").get_json()["steps"][0]["seconds"] == 1.5


def test_before_the_first_night_there_are_no_runs_and_snapshots(get):
    assert get("/v1/runs").get_json() == {"runs": []}
    assert get("/v1/snapshots").get_json() == {"snapshots": []}


def test_the_published_snapshot_is_marked(get, published, workspace_dir):
    from datetime import timedelta

    later = published.meta.created_at + timedelta(days=1)
    make_snapshot(workspace_dir, "20171205T000000", created_at=later)
    found = get("/v1/snapshots").get_json()["snapshots"]
    assert [(each["snapshot"], each["active"]) for each in found] == [
        ("20171205T000000", False),
        ("20171204T000000", True),
    ]


def test_going_back_is_a_job(post, published, redis_client):
    response = post("/v1/snapshots/20171204T000000/activate")
    assert (response.status_code, response.get_json()["state"]) == (202, "queued")
    (job,) = Queue("interactive", connection=redis_client, serializer=JSONSerializer).jobs
    assert job.func_name == "rightsend.jobs.activate_snapshot"
    assert job.args == [WORKSPACE, "20171204T000000"]


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e%2fkeys.json", "a b"])
def test_bad_input_unknown_snapshot_is_404_and_no_job(post, redis_client, name):
    response = post(f"/v1/snapshots/{name}/activate")
    assert response.status_code == 404
    assert Queue("interactive", connection=redis_client).count == 0


@pytest.mark.parametrize("name", ["nothing", "..", "r3"])
def test_bad_input_unknown_run_is_404(get, runs, name):
    response = get(f"/v1/runs/{name}")
    assert (response.status_code, error_code(response)) == (404, "unknown_run")


@pytest.mark.parametrize("limit", ["0", "501", "x"])
def test_bad_input_limit_of_runs_is_422(get, limit):
    assert get("/v1/runs", limit=limit).status_code == 422
