"""Security headers on every answer, of every route and of every error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.app import create_app
from plugin.auth import ADMIN, CONTENT, SCOPES, Keys
from plugin.headers import SECURITY
from plugin.refusals import refusal
from settings.workspace import LimitSettings
from tests.conftest import WORKSPACE
from tests.plugin.routes import ROUTES, WITH_BODY, example_body, filled

# a page brings its own policy, which says what it loads
PAGES = ("/l/", "/docs")


def assert_secure(response, path: str) -> None:
    for name, value in SECURITY:
        found = response.headers.get(name, "")
        if path.startswith(PAGES) and name in ("Content-Security-Policy", "Cache-Control"):
            assert found
        else:
            assert found.startswith(value), (path, response.status_code, name)
    if "Content-Security-Policy" in response.headers:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
    # no browser of another site may read an answer, and nothing of ours is kept in one
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(("path", "method", "operation"), ROUTES)
def test_every_route_answers_with_them_whatever_the_answer(
    client, settings, published, path, method, operation
):
    keys = Keys(settings.workspace_dir(WORKSPACE))
    scope = operation.get("x-scope", CONTENT)
    for key in (
        keys.create(scope)[1],
        keys.create(ADMIN if scope == CONTENT else CONTENT)[1],
        "rs_shop_00000000_" + "0" * 40,
        "",
    ):
        headers = {"X-Api-Key": key}
        answer = client.open(
            filled(path), method=method, headers=headers, json=example_body(operation)
        )
        assert_secure(answer, path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/docs/nothing.js", 404),
        ("PUT", "/v1/events", 405),
        ("OPTIONS", "/v1/events", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/docs", 200),
        ("GET", "/docs/swagger-ui.css", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v1/content/for-you?limit=x", 422),
    ],
)
def test_so_do_addresses_that_are_no_routes(client, key, method, path, status):
    answer = client.open(path, method=method, headers={"X-Api-Key": key}, buffered=True)
    assert answer.status_code == status
    assert_secure(answer, "/docs" if path.startswith("/docs/s") else path)


def test_so_do_faults_of_ours(app, client, key, monkeypatch):
    monkeypatch.setattr("plugin.documents.runs", lambda _: 1 / 0)
    answer = client.get("/v1/runs", headers={"X-Api-Key": key})
    assert answer.status_code == 500
    assert_secure(answer, "/v1/runs")


def test_so_do_refusals_of_too_large_and_too_many_and_without_a_store(settings, redis_url, key):
    few = replace(settings, limits=LimitSettings(administration_per_minute=1))
    client = create_app(few, redis_url=redis_url).test_client()
    big = client.post("/v1/events", data=b"x" * 3_000_000, content_type="application/json",
                      headers={"X-Api-Key": key})  # fmt: skip
    assert big.status_code == 413
    many = [client.get("/v1/runs", headers={"X-Api-Key": key}) for _ in range(2)][1]
    assert many.status_code == 429
    alone = create_app(settings, redis_url="unix:///nowhere.sock").test_client()
    away = alone.get("/v1/runs", headers={"X-Api-Key": key})
    assert away.status_code == 503
    for answer in (big, many, away):
        assert_secure(answer, "/v1/runs")


@pytest.mark.parametrize("status", [400, 408, 414, 417, 431, 500, 501, 505])
def test_so_do_answers_to_what_is_no_http(status):
    head, _, _ = refusal(status).partition(b"\r\n\r\n")
    for name, value in SECURITY:
        assert f"\r\n{name}: {value}".encode() in head


@pytest.mark.parametrize("depth", [100, 1000, 100_000])
@pytest.mark.parametrize(("path", "method", "operation"), WITH_BODY)
def test_bad_input_deep_json_is_refused_in_words(
    client, settings, published, path, method, operation, depth
):
    key = Keys(settings.workspace_dir(WORKSPACE)).create(SCOPES)[1]
    name = next(iter(example_body(operation) or {"events": 1}))
    bodies = [b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth]
    bodies.append(f'{{"{name}":'.encode() + bodies[1] + b"}")
    for body in bodies:
        answer = client.open(
            filled(path), method=method, data=body, content_type="application/json",
            headers={"X-Api-Key": key},
        )  # fmt: skip
        assert answer.status_code in (400, 404, 409, 422)
        assert_secure(answer, path)
