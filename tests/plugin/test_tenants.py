"""Workspaces and scopes apart: each route of the OpenAPI document, each scope, foreign workspaces.

A route is covered by being in the document. What it may name stands in ``NAMES``: a new kind of
path parameter has to say there which of another workspace's things it could be.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

from plugin.auth import SCOPES, Keys
from plugin.events.translating import Told
from plugin.segments import routes as segments
from scoring.store.segments import SegmentJobs
from settings.workspace import ConnectionSettings
from tests.conftest import WORKSPACE
from tests.factories import make_snapshot
from tests.plugin.routes import GUARDED, ROUTES, example_body, filled

# a link names its workspace itself (tests/plugin/landing)
NOT_A_LINK = [route for route in ROUTES if route.values[0] != "/l/{token}"]
SEGMENT = "5eb63bbbe01eeed093cb22bb8f5acdc3"
CONNECTION = "shops-own-tool"
RUN, SNAPSHOT = "20260228T030000Z", "20260301T030000Z"
NAMES = {
    "customer_id": "customer-001",
    "customer": "customer-001",
    "device_id": "tablet-1",
    "segment_id": SEGMENT,
    "run_id": RUN,
    "snapshot_id": SNAPSHOT,
    "job_id": f"{WORKSPACE}-segment-{SEGMENT}",
    "connection": CONNECTION,
    "campaign": "spring",
    "item": "item-001",
    "token": "AgAAAAAA",
    "Idempotency-Key": "shops-own-key",
}
SEEN = {
    "event_id": "e1",
    "event_type": "view",
    "item_id": "item-001",
    "identifier_kind": "external_id",
    "identifier": "customer-001",
    "device_id": "tablet-1",
    "occurred_at": "2026-03-01T00:00:00+00:00",
}
# what is new with every answer
_FRESH = re.compile(r"[0-9a-f]{16,64}|20\d\d-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?")
_HIDDEN = {"X-Request-Id", "Date"}


class _Tool:
    """A host tool whose webhooks nobody can sign."""

    def verify(self, body: bytes, headers: Any, options: Any) -> bool:
        return False

    def read(self, body: bytes, headers: Any, options: Any) -> Told:
        return Told([], {}, 0)


@pytest.fixture
def keys(settings) -> dict[str, Keys]:
    return {name: Keys(settings.workspace_dir(name)) for name in settings.workspaces}


@pytest.fixture
def plant(settings, publish, redis_client, workspace_dir, app):
    """plant(): now ``shop`` has a customer, a segment with members, a run, a snapshot, a job, a
    connection whose tool tells events, and an Idempotency-Key that was used."""

    def planted() -> None:
        publish(make_snapshot(workspace_dir, SNAPSHOT))
        here = app.extensions["rightsend"].workspaces[WORKSPACE]
        here.recent.remember([SEEN])
        tool = ConnectionSettings(CONNECTION, "tool")
        object.__setattr__(here.settings, "connections", (tool,))
        run = workspace_dir / "runs" / RUN
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps({"run": RUN, "workspace": WORKSPACE, "steps": []}))
        jobs = SegmentJobs(redis_client, WORKSPACE)
        made, _ = jobs.create({"name": "x"}, now=here.now(), idempotency_key="shops-own-key")
        redis_client.rename(_segment(made["id"]), _segment(SEGMENT))
        redis_client.hset(_segment(SEGMENT), "id", SEGMENT)
        jobs.set_state(SEGMENT, "done", summary={"customers": 1})
        members = workspace_dir / "segments" / SEGMENT
        members.mkdir(parents=True)
        (members / "members.csv.gz").write_bytes(gzip.compress(b"customer_id\ncustomer-001\n"))
        here.jobs.enqueue_once(f"segment-{SEGMENT}", "run_segment", SEGMENT)

    return planted


def _segment(segment_id: str) -> str:
    return f"rs:{{{WORKSPACE}}}:segment:{segment_id}"


@pytest.fixture(autouse=True)
def told_by_a_tool(app, monkeypatch):
    monkeypatch.setattr(segments, "PREVIEW_WAIT_S", 0)
    object.__setattr__(app.extensions["rightsend"], "translators", {"tool": _Tool()})


@pytest.fixture
def call(client):
    """call(path, method, operation, key): the request of the document, with all that it can name,
    about ``shop``'s things."""

    def sent(path: str, method: str, operation: dict[str, Any], key: str | None) -> Any:
        body = example_body(operation)
        if body and "connection" in body:
            body = body | {"connection": CONNECTION}
        given = {each["name"]: each["in"] for each in operation.get("parameters", [])}
        headers = {name: NAMES[name] for name, place in given.items() if place == "header"}
        if key is not None:
            headers["X-Api-Key"] = key
        query = {n: NAMES[n] for n, place in given.items() if place == "query" and n in NAMES}
        return client.open(
            filled(path, NAMES),
            method=method,
            query_string=query,
            headers=headers,
            buffered=True,
            json=body,
        )

    return sent


def heard(response: Any) -> tuple[int, str, set[tuple[str, str]]]:
    """Everything that a caller can tell apart, but for what is new with every answer."""
    headers = {
        (name, _FRESH.sub("*", value)) for name, value in response.headers if name not in _HIDDEN
    }
    return response.status_code, _FRESH.sub("*", response.get_data(as_text=True)), headers


def series(response: Any) -> set[str]:
    """Of an answer of /metrics."""
    return {line.rpartition(" ")[0] for line in response.get_data(as_text=True).splitlines()}


def asked_of_the_store(redis_client, ask) -> dict[str, int]:
    """How many commands of each kind ``ask()`` cost: how long it takes, without a clock."""
    redis_client.config_resetstat()
    ask()
    told = redis_client.info("commandstats")
    ours = {"cmdstat_info", "cmdstat_config|resetstat", "cmdstat_client|setinfo", "cmdstat_xadd"}
    return {name: each["calls"] for name, each in told.items() if name not in ours}


@pytest.mark.parametrize(("path", "method", "operation"), ROUTES)
def test_every_parameter_of_a_path_is_known_here(path, method, operation):
    assert set(re.findall(r"{(\w+)}", path)) <= set(NAMES), "say in NAMES what it could name"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("path", "method", "operation"), GUARDED)
def test_a_key_does_what_its_scope_says_and_nothing_else(
    call, keys, plant, path, method, operation, scope
):
    plant()
    answer = call(path, method, operation, keys[WORKSPACE].create(scope)[1])
    if scope == operation["x-scope"]:
        assert answer.status_code not in (401, 403)
    else:
        assert answer.status_code == 403
        assert answer.get_json()["error"]["code"] == "wrong_scope"


@pytest.mark.parametrize(("path", "method", "operation"), NOT_A_LINK)
def test_what_another_workspace_has_changes_no_answer(
    call, keys, plant, redis_client, path, method, operation
):
    """The same request of ``other`` before and after ``shop`` has what it names: the same status,
    body, headers, and the same work."""
    key = keys["other"].create(SCOPES)[1]
    call(path, method, operation, key)  # connections are open, caches are warm
    before, after = [], []
    work = asked_of_the_store(
        redis_client, lambda: before.append(call(path, method, operation, key))
    )
    plant()
    call(path, method, operation, key)
    work_after = asked_of_the_store(
        redis_client, lambda: after.append(call(path, method, operation, key))
    )
    if path == "/metrics":  # counts of the process, whoever called: the same series
        assert series(after[0]) == series(before[0])
    elif path != "/readyz":  # which says whether all workspaces are ready, not which there are
        assert heard(after[0]) == heard(before[0])
        assert work_after == work
    told = after[0].get_data(as_text=True)
    assert WORKSPACE not in told.replace("shop.example", "")
    assert CONNECTION not in told


@pytest.mark.parametrize(("path", "method", "operation"), GUARDED)
def test_a_wrong_key_hears_the_same_whatever_there_is(call, keys, plant, path, method, operation):
    plant()
    revoked_id, revoked = keys[WORKSPACE].create(SCOPES)
    keys[WORKSPACE].revoke(revoked_id)
    right = keys[WORKSPACE].create(SCOPES)[1]
    wrong = {
        "revoked": revoked,
        "wrong secret": right[:-40] + "0" * 40,
        "unknown id": f"rs_{WORKSPACE}_00000000_" + "0" * 40,
        "no such workspace": "rs_nowhere_00000000_" + "0" * 40,
        "another workspace's name": right.replace(f"rs_{WORKSPACE}_", "rs_other_"),
    }
    answers = {why: heard(call(path, method, operation, key)) for why, key in wrong.items()}
    assert {answer[0] for answer in answers.values()} == {401}
    assert len({str(sorted(answer[2])) + answer[1] for answer in answers.values()}) == 1


@pytest.mark.parametrize(("path", "method", "operation"), GUARDED)
def test_without_a_key_nothing_is_done(call, plant, redis_client, path, method, operation):
    plant()
    stored = redis_client.dbsize()
    assert call(path, method, operation, None).status_code == 401
    assert redis_client.dbsize() == stored


def test_a_customer_of_both_workspaces_is_two_people(app):
    """The same id has another hash in each, so that no dump of one helps with the other."""
    found = app.extensions["rightsend"].workspaces
    hashes = {here.reader.hash_of("customer-001") for here in found.values()}
    assert len(hashes) == len(found)
