"""The double of CleverTap refuses what CleverTap refuses, in its words and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectors.sandbox.app import CLOSE, create_app
from tests.connectors.double import KEY, FakeTime

HEADERS = {"X-CleverTap-Account-Id": "acc", "X-CleverTap-Passcode": KEY}


@pytest.fixture
def web(tmp_path: Path, time: FakeTime) -> Iterator[FlaskClient]:
    app = create_app(tmp_path / "s", api_keys=[KEY], clock=time)
    yield app.test_client()
    app.extensions[CLOSE]()


def upload(web: FlaskClient, *records: Any, query: str = "") -> TestResponse:
    path = f"/tools/clevertap/1/upload{query}"
    return web.post(path, json={"d": list(records)}, headers=HEADERS)


def profile(identity: Any, **data: Any) -> dict[str, Any]:
    return {"type": "profile", "identity": identity, "profileData": data}


def held(web: FlaskClient) -> Any:
    bearer = {"Authorization": f"Bearer {KEY}"}
    return web.get("/sandbox/held?tool=clevertap", headers=bearer).json


def test_values_are_set_added_to_and_deleted(web: FlaskClient) -> None:
    upload(web, profile("a", x=1, y=["p"], z=3))
    upload(web, profile("a", x={"$delete": 1}, y={"$add": ["p", "q"]}))
    upload(web, profile("a", y={"$remove": ["p"]}))
    assert held(web) == {"a": {"y": ["q"], "z": 3}}


def test_what_is_refused_comes_back_with_the_record(web: FlaskClient) -> None:
    long = profile("b", x="x" * 513)
    answer = upload(web, profile("a", x=1), long)
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["processed"]) == ("partial", 1)
    (refused,) = answer.json["unprocessed"]
    assert refused["record"] == long
    assert "too long" in refused["error"]
    assert list(held(web)) == ["a"]


@pytest.mark.parametrize(
    "record",
    [profile(""), profile(7), {"identity": "a"}, "a", profile("a", x=None),
     profile("a", x={"b": 1}),
     profile("a", **{"n" * 121: 1}), profile("a", **{f"n{n}": 1 for n in range(257)}),
     {"type": "event", "identity": "a", "evtData": {}}],
)  # fmt: skip
def test_bad_input_a_record_that_is_none_is_refused(web: FlaskClient, record: Any) -> None:
    assert upload(web, record).json["status"] == "fail"
    assert held(web) == {}


def test_a_dry_run_keeps_nothing(web: FlaskClient) -> None:
    assert upload(web, profile("a", x=1), query="?dryRun=1").json["status"] == "success"
    assert held(web) == {}


def test_bad_input_too_many_records_ids_or_a_wrong_passcode_refuse_the_call(
    web: FlaskClient,
) -> None:
    assert upload(web, *[profile("a", x=1)] * 1_001).status_code == 400
    assert upload(web).status_code == 400
    path = "/tools/clevertap/1/delete/profiles.json"
    for body in ({"identity": ["a"] * 101}, {"identity": ["a"], "guid": ["g"]}, {}):
        assert web.post(path, json=body, headers=HEADERS).status_code == 400
    wrong = {**HEADERS, "X-CleverTap-Passcode": "wrong"}
    assert web.post(path, json={"identity": "a"}, headers=wrong).json["code"] == 401
