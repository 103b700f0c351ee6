"""Every request that the connector sends is one that Braze publishes (see published.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from connectors import delivery
from connectors.braze.hosts import INSTANCES
from connectors.errors import Stop
from connectors.registry import open_tool
from connectors.tool import Recipient
from settings.workspace import AttributeSettings, ConnectionSettings
from tests.connectors.doubles import FakeTime
from tests.connectors.servers import serving
from tests.connectors.watching import watched

OPTIONS = {
    "instance": "recorder", "api_key": "rest-key", "partner_name": "shop",
    "partner_api_key": "partner-key", "partner_client_secret": "client-secret",
}  # fmt: skip


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """It takes everything."""
    app = Flask("recorder")

    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
    def take(path: str) -> dict[str, str]:
        return {"message": "success", "catalogs": []}

    with serving(app) as url:
        monkeypatch.setitem(INSTANCES, "recorder", url)
        yield app


@pytest.fixture
def recorded(host: Flask) -> Iterator[list[tuple[str, str, Any]]]:
    """Calls that reached it, all of them published: (method, path, body)."""
    calls: list[tuple[str, str, Any]] = []
    host.before_request(
        lambda: calls.append((request.method, request.path, request.get_json(silent=True)))
    )
    with watched(host, "braze", prefix=""):
        yield calls


def connection(**options: Any) -> ConnectionSettings:
    attributes = (
        AttributeSettings("p", "purchase_probability"),
        AttributeSettings("items", "top_items"),
    )
    return ConnectionSettings("crm", "braze", attributes, {**OPTIONS, **options})


def test_all_requests_about_items_and_people_are_published(
    recorded: list[tuple[str, str, Any]], tmp_path: Path, time: FakeTime
) -> None:
    given = {"state_path": tmp_path / "state.sqlite", "runtime": time.runtime()}
    named = {**given, "name": "products", "fields": {"name": "string", "price": "number"}}
    for count in (120, 60):
        items = [(f"i{n}", {"name": "x", "price": 1.5}) for n in range(count)]
        delivery.sync_catalog(connection(), items, **named)
    named = connection(identify_aliases={"alias": "card"})
    links = [("alias", str(n), f"c{n}") for n in range(120)]
    delivery.sync_identities(named, links, **given)
    delivery.erase_profiles(connection(), ["c1", "c2"])
    recipients = [Recipient(f"c{n}", {"items": [{"price": 1}]}) for n in range(120)]
    delivery.trigger_campaign(
        connection(), "spring", recipients, **{**given, "state_path": tmp_path / "sent.sqlite"}
    )
    with open_tool(connection()) as tool:
        tool.merge([("a", "b")] * 120)
        with pytest.raises(Stop, match="gives no address"):
            list(tool.audience("segment-1"))
    assert {(method, path) for method, path, _ in recorded} == {
        ("GET", "/catalogs"), ("POST", "/catalogs"), ("PUT", "/catalogs/products/items"),
        ("DELETE", "/catalogs/products/items"), ("POST", "/users/identify"),
        ("POST", "/users/merge"), ("POST", "/users/delete"), ("POST", "/campaigns/trigger/send"),
        ("POST", "/users/export/segment"),
    }  # fmt: skip


def test_all_requests_of_a_sync_a_push_and_a_check_are_published(
    recorded: list[tuple[str, str, Any]], tmp_path: Path, time: FakeTime
) -> None:
    state_path = tmp_path / "state.sqlite"
    desired = [(f"c{n}", {"purchase_probability": n, "top_items": ["a"]}) for n in range(200)]
    delivery.sync(connection(), desired, state_path=state_path, runtime=time.runtime())
    delivery.sync(connection(), desired[:150], state_path=state_path, runtime=time.runtime())
    for members in (range(2_000), range(1_000, 1_500)):
        delivery.push_segment(
            connection(), segment_id="s", name="S", members=map(str, members),
            state_path=state_path, runtime=time.runtime(),
        )  # fmt: skip
    assert delivery.check(connection()) is None
    assert {path for _, path, _ in recorded} == {
        "/users/track", "/partners/shop/cohorts", "/partners/shop/cohorts/users", "/segments/list",
    }  # fmt: skip


def test_profiles_are_not_created_unless_asked_for(
    recorded: list[tuple[str, str, Any]], tmp_path: Path
) -> None:
    desired = [("c1", {"purchase_probability": 0.5})]
    delivery.sync(connection(), desired, state_path=tmp_path / "a")
    delivery.sync(connection(update_existing_only=False), desired, state_path=tmp_path / "b")
    assert [body["attributes"] for _, _, body in recorded] == [
        [{"external_id": "c1", "_update_existing_only": True, "p": 0.5}],
        [{"external_id": "c1", "p": 0.5}],
    ]


def test_the_partners_keys_go_nowhere_else(
    recorded: list[tuple[str, str, Any]], tmp_path: Path
) -> None:
    delivery.sync(connection(), [("c1", {"top_items": ["a"]})], state_path=tmp_path / "a")
    assert "partner-key" not in json.dumps(recorded)
