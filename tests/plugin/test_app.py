"""The edges that all routes share: keys, errors, headers, logs, size of the process."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest

from plugin import auth
from plugin.auth import Keys
from tests.conftest import WORKSPACE
from tests.plugin.conftest import error_code

FOR_YOU = "/v1/content/for-you"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        lambda key: {"X-Api-Key": key},
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"Authorization": basic("braze", key)},
        lambda key: {"Authorization": basic(key, "")},
        lambda key: {"Authorization": basic(key, "x")},
    ],
)
def test_a_key_may_be_sent_in_each_of_the_usual_ways(client, key, header):
    assert client.get(FOR_YOU, headers=header(key)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "x"},
        {"X-Api-Key": "rs_shop_00000000_" + "0" * 40},
        {"X-Api-Key": "rs_nowhere_00000000_" + "0" * 40},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !!!"},
        {"Authorization": basic("a", "b")},
        {"Authorization": "Digest username=x"},
    ],
)
def test_bad_input_wrong_key_is_401_with_a_challenge(client, key, headers):
    response = client.get(FOR_YOU, headers=headers)
    assert (response.status_code, error_code(response)) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", FOR_YOU, "content"),
        ("GET", "/v1/landing/spring", "content"),
        ("POST", "/v1/events", "events"),
        ("GET", "/v1/segments", "segments"),
        ("GET", "/v1/customers/customer-001", "admin"),
        ("DELETE", "/v1/customers/customer-001", "admin"),
        ("GET", "/v1/runs", "admin"),
        ("POST", "/v1/snapshots/x/activate", "admin"),
        ("GET", "/metrics", "admin"),
    ],
)
def test_bad_input_key_of_another_scope_is_403(client, settings, method, path, scope):
    other = "events" if scope == "content" else "content"
    _, key = Keys(settings.workspace_dir(WORKSPACE)).create(other)
    response = client.open(path, method=method, headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (403, "wrong_scope")
    assert scope in response.get_json()["error"]["message"]


def test_a_revoked_key_stops_working_at_once(client, settings, monkeypatch):
    monkeypatch.setattr(auth, "STAT_EVERY_S", 0)  # else within a second
    keys = Keys(settings.workspace_dir(WORKSPACE))
    key_id, key = keys.create("content")
    assert client.get(FOR_YOU, headers={"X-Api-Key": key}).status_code == 200
    keys.revoke(key_id)
    assert client.get(FOR_YOU, headers={"X-Api-Key": key}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/content", "//v1//content/for-you", "/l/"])
def test_bad_input_unknown_address_is_404(client, path):
    response = client.get(path)
    assert (response.status_code, error_code(response)) == (404, "not_found")


def test_bad_input_wrong_method_is_405_and_says_which_are_right(client):
    response = client.delete("/v1/events")
    assert (response.status_code, error_code(response)) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_a_fault_of_ours_is_500_without_its_innards(app, client, key, monkeypatch, capsys):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the innards")

    monkeypatch.setattr("plugin.documents.runs", broken)
    response = client.get("/v1/runs", headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (500, "internal_error")
    assert b"innards" not in response.data
    assert "the innards" in capsys.readouterr().err


def test_a_fault_of_ours_never_costs_a_message(published, app, client, key, monkeypatch, capsys):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the innards")

    monkeypatch.setattr("scoring.store.records.CustomerRecord.explained", broken)
    response = client.get(f"{FOR_YOU}?customer=customer-001", headers={"X-Api-Key": key})
    document = response.get_json()
    assert (response.status_code, document["reason"]) == (200, "error")
    assert len(document["items"]) == 10
    assert b"innards" not in response.data
    assert "the innards" in capsys.readouterr().err


def test_every_answer_has_the_security_headers_and_an_id(client):
    headers = client.get("/healthz").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert len(headers["X-Request-Id"]) == 32


def test_a_request_id_is_kept(client):
    response = client.get("/healthz", headers={"X-Request-Id": "trace-0815-4711"})
    assert response.headers["X-Request-Id"] == "trace-0815-4711"


@pytest.mark.parametrize("given", ["x", "a" * 65, "a b c d e f g", '"},{"x":"'])
def test_bad_input_request_id_is_replaced(client, given):
    response = client.get("/healthz", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] != given


def test_logs_name_the_route_and_neither_person_nor_key(client, key, published, capsys):
    client.get("/v1/customers/customer-001?x=customer-001", headers={"X-Api-Key": key})
    client.get(f"{FOR_YOU}?customer=customer-001&limit=x", headers={"X-Api-Key": key})
    text = capsys.readouterr().err
    lines = [line for line in map(json.loads, text.splitlines()) if line["event"] == "request"]
    assert [line["route"] for line in lines] == ["/v1/customers/<anything:customer_id>", FOR_YOU]
    assert all(line["request_id"] and line["workspace"] == WORKSPACE for line in lines)
    assert "customer-001" not in text
    assert key not in text
    assert key.rsplit("_", 1)[1] not in text


def test_a_web_worker_loads_no_model_library():
    heavy = ("pyarrow", "numpy", "sklearn", "scipy", "pandas", "duckdb", "ibis", "deltalake")
    program = (
        "import sys, tempfile, pathlib\n"
        "from settings.workspace import Settings, WorkspaceSettings\n"
        "from plugin.app import create_app\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "shop = WorkspaceSettings(workspace='shop', file=folder / 'x', sources=())\n"
        "settings = Settings(file=folder / 'y', state_dir=folder, workspaces={'shop': shop})\n"
        "app = create_app(settings, redis_url='redis://127.0.0.1:1/0')\n"
        "app.test_client().get('/l/x')\n"
        "app.test_client().get('/openapi.json')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
