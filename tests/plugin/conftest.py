"""The plugin over the small published snapshot and a real Valkey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from plugin.app import create_app
from plugin.auth import SCOPES, Keys
from plugin.decisions import DecisionLogs
from plugin.landing.tracking import Tracker
from settings.workspace import ConnectionSettings, Settings, WebSettings, WorkspaceSettings
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF

PUBLIC_URL = "https://rightsend.example"


@pytest.fixture
def settings(tmp_path: Path, workspace_dir: Path) -> Settings:
    """Two workspaces at the snapshot's time: ``shop``, and ``other`` without any snapshot."""
    shop = WorkspaceSettings(
        workspace=WORKSPACE,
        file=tmp_path / "shop.yaml",
        sources=(),
        as_of=CUTOFF,
        connections=(ConnectionSettings("sandbox", "sandbox"),),
    )
    other = WorkspaceSettings(workspace="other", file=tmp_path / "other.yaml", sources=())
    return Settings(
        file=tmp_path / "rightsend.yaml",
        state_dir=workspace_dir.parents[1],
        workspaces={WORKSPACE: shop, "other": other},
        secret=SECRET.decode(),
        web=WebSettings(public_url=PUBLIC_URL),
    )


@pytest.fixture
def app(settings: Settings, redis_url: str) -> Flask:
    app = create_app(settings, redis_url=redis_url)
    app.testing = False  # errors are answered, as in production
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def key(settings: Settings) -> str:
    """A key of ``shop`` for everything."""
    return Keys(settings.workspace_dir(WORKSPACE)).create(SCOPES)[1]


@pytest.fixture
def get(client: FlaskClient, key: str) -> Callable[..., Any]:
    """GET with the key: get(path, customer="…")."""

    def call(path: str, **query: Any) -> Any:
        headers = {"X-Api-Key": key}
        return client.get(path, query_string=query, headers=headers, buffered=True)

    return call


@pytest.fixture
def post(client: FlaskClient, key: str) -> Callable[..., Any]:
    """POST JSON with the key: post(path, document, header="…")."""

    def call(path: str, document: Any = None, **headers: str) -> Any:
        return client.post(path, json=document, headers={"X-Api-Key": key, **headers})

    return call


def error_code(response: Any) -> str:
    """The code of an error answer, which has the one shape that all errors have."""
    document = response.get_json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"code", "message", "details"}
    assert document["error"]["message"]
    return document["error"]["code"]


@pytest.fixture(autouse=True)
def nothing_is_left_running(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread carries a page's taps or an answer's decision into the store of the next test."""
    monkeypatch.setattr(Tracker, "_start", lambda _self: None)
    if not request.module.__name__.endswith("test_decisions"):  # which test the thread itself
        monkeypatch.setattr(DecisionLogs, "start", lambda _self: None)
