"""What host tools tell over HTTP counts in the next answer: real connectors in the real app."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from connectors.registry import SCHEMAS
from plugin.app import create_app
from rightsend.webhooks import translators
from scoring.snapshot import Snapshot
from settings.workspace import ConnectionSettings, Settings
from tests.conftest import WORKSPACE

OPTIONS = {
    "segment": {"shared_secret": "s3gment"},
    "braze": {
        "instance": "fra-01", "api_key": "k", "currents_token": "t0ken",
        "custom_events": {"added_to_cart": "cart"}, "item_property": "sku",
    },
}  # fmt: skip
AT = "2017-12-04T00:00:01.500Z"
AT_S = 1_512_345_601


@pytest.fixture
def tool(settings: Settings, redis_url: str, published: Snapshot) -> FlaskClient:
    """The plugin with a connection of each type, called as the type."""
    connections = tuple(
        ConnectionSettings(name, name, (), SCHEMAS[name]().load(options))
        for name, options in OPTIONS.items()
    )
    shop = replace(settings.workspaces[WORKSPACE], connections=connections)
    found = replace(settings, workspaces={WORKSPACE: shop})
    return create_app(found, redis_url=redis_url, translators=translators()).test_client()


def segment(tool: FlaskClient, *calls: dict[str, Any], secret: str = "s3gment") -> Any:
    body = json.dumps({"batch": calls}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    headers = {"X-Signature": signature, "Content-Type": "application/json"}
    return tool.post("/v1/events/segment", data=body, headers=headers)


def currents(tool: FlaskClient, *events: dict[str, Any]) -> Any:
    body = {"events": list(events)}
    return tool.post("/v1/events/braze", json=body, headers={"Authorization": "Bearer t0ken"})


def best(tool: FlaskClient, key: str, customer: str = "customer-001") -> list[str]:
    query = {"customer": customer}
    answer = tool.get("/v1/content/for-you", query_string=query, headers={"X-Api-Key": key})
    return [item["id"] for item in answer.get_json()["items"]]


def call(event: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "messageId": event, "timestamp": AT,
        "userId": "customer-001", "anonymousId": "web-1", **more,
    }  # fmt: skip


def test_an_order_in_segment_takes_its_products_out_of_the_next_answer(
    tool: FlaskClient, key: str
) -> None:
    first, second, *_ = best(tool, key)
    lines = [{"product_id": first}, {"product_id": second, "quantity": 2}]
    answer = segment(tool, call("Order Completed", properties={"products": lines}))
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 2)
    assert not {first, second} & set(best(tool, key))
    assert not {first, second} & set(best(tool, key, "device_id:web-1"))


def test_who_identifies_in_segment_brings_what_was_bought_before(
    tool: FlaskClient, key: str
) -> None:
    first = best(tool, key)[0]
    order = call("Order Completed", properties={"products": [{"product_id": first}]})
    segment(tool, {**order, "userId": None})
    assert first in best(tool, key)
    segment(tool, {**call("identify"), "type": "identify"})
    assert first not in best(tool, key)


def test_a_purchase_in_braze_takes_the_item_out_of_the_next_answer(
    tool: FlaskClient, key: str
) -> None:
    first = best(tool, key)[0]
    answer = currents(
        tool,
        {
            "event_type": "users.behaviors.Purchase",
            "id": "p1",
            "time": AT_S,
            "user": {"user_id": "b1", "external_user_id": "customer-001", "device_id": "phone"},
            "properties": {"product_id": first, "price": 9.99, "currency": "USD"},
        },
        {
            "event_type": "users.behaviors.CustomEvent",
            "id": "c1",
            "time": AT_S,
            "user": {"user_id": "b1", "external_user_id": "customer-001"},
            "properties": {"name": "added_to_cart", "custom_properties": {"sku": "item-03"}},
        },
    )
    assert answer.get_json() == {"accepted": 2, "rejected": {}, "unknown": {}}
    assert first not in best(tool, key)
    assert first not in best(tool, key, "device_id:phone")


def test_bad_input_a_wrong_signature_is_401(tool: FlaskClient) -> None:
    assert segment(tool, call("Product Viewed"), secret="other").status_code == 401
