"""Every kind over HTTP: the same bytes again, by query and by body, and what is wrong is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plugin.content.kinds import KINDS
from scoring.store.recent import RecentEvents
from settings.workspace import ContentSettings, SendSettings
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF
from tests.plugin.conftest import error_code

ASKED = {
    "related": {"item": "item-03"},
    "bought-together": {"item": "item-03"},
    "rank": {"items": "item-05,item-01,item-99"},
    "cart": {"fill": "true"},
}


@pytest.fixture
def settings(settings):
    """By day, with Korean prices and half of a campaign held out."""
    shop = replace(
        settings.workspaces[WORKSPACE],
        send=SendSettings(quiet_hours=None, holdouts={"measured": 0.5}),
        content=ContentSettings(currency_rates={"KRW": 1380.0}),
    )
    return replace(settings, workspaces={**settings.workspaces, WORKSPACE: shop})


@pytest.fixture
def looked(redis_client, published):
    """customer-001 has a cart and a view."""
    RecentEvents(redis_client, WORKSPACE, SECRET).remember([
        {"event_id": f"{kind}-{item}", "occurred_at": CUTOFF - timedelta(minutes=minutes),
         "identifier": "customer-001", "identifier_kind": "external_id", "event_type": kind,
         "item_id": item, "unit_price": 99.0}
        for kind, item, minutes in (("cart", "item-02", 9), ("view", "item-04", 5))
    ])  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_call_gives_the_same_bytes_by_query_and_by_body(get, post, looked, kind) -> None:
    query = {"customer": "customer-001", "campaign": "spring", **ASKED.get(kind, {})}
    first = get(f"/v1/content/{kind}", **query)
    assert first.status_code == 200
    assert first.get_json()["ok"]
    assert first.data == get(f"/v1/content/{kind}", **query).data
    body = {**query, **({"fill": True} if "fill" in query else {})}
    by_body = post(f"/v1/content/{kind}", body)
    assert by_body.get_json()["items"] == first.get_json()["items"]


def test_a_body_may_hold_lists(post, published) -> None:
    answer = post("/v1/content/rank", {"customer": "customer-001", "items": ["item-05", "item-01"]})
    assert {item["id"] for item in answer.get_json()["items"]} == {"item-05", "item-01"}


def test_the_cart_is_told_beside_the_items(get, looked) -> None:
    document = get("/v1/content/cart", customer="customer-001").get_json()
    (item,) = document["items"]
    assert (item["id"], item["price_then"], item["price_drop"]) == ("item-02", 99.0, 96.5)
    assert document["cart"]["items"] == 1


def test_a_filter_and_a_boost_reach_the_answer(get, published) -> None:
    asked = {"customer": "customer-001", "brand": "brand-1,brand-2", "boost": "brand:brand-2:100"}
    items = get("/v1/content/for-you", **asked).get_json()["items"]
    assert items[0]["brand"] == "brand-2"
    assert {item["brand"] for item in items} <= {"brand-1", "brand-2"}


def test_prices_and_reasons_in_another_currency_and_language(get, published) -> None:
    asked = {"customer": "customer-001", "currency": "KRW", "locale": "ko", "limit": 1}
    (item,) = get("/v1/content/for-you", **asked).get_json()["items"]
    assert item["local_price"] == item["price"] * 1380
    assert item["price_text"].startswith("₩")
    assert "구매" in item["reasons"][0]


def test_a_held_out_customer_is_told_with_the_content(get, published) -> None:
    answers = [
        get("/v1/content/for-you", customer=f"customer-{n:03d}", campaign="measured").get_json()
        for n in range(30)
    ]
    held = [each for each in answers if each["send_reason"] == "holdout"]
    assert 5 < len(held) < 25
    assert all(each["items"] and not each["send"] for each in held)


@pytest.mark.parametrize("method", ["get", "post"])
def test_bad_input_a_currency_without_a_rate_is_refused(get, post, published, method) -> None:
    asked = {"customer": "customer-001", "currency": "EUR"}
    path = "/v1/content/for-you"
    response = get(path, **asked) if method == "get" else post(path, asked)
    assert response.status_code == 422
    assert error_code(response) == "invalid_parameters"
    assert "KRW, USD" in str(response.get_json())


@pytest.mark.parametrize(
    "query",
    [{"boost": "x"}, {"min_price": "cheap"}, {"max_per_brand": "0"}, {"limit": "0"},
     {"advertising": "maybe"}, {"locale": "de"}],
)  # fmt: skip
def test_bad_input_is_named(get, published, query) -> None:
    response = get("/v1/content/for-you", customer="customer-001", **query)
    assert response.status_code == 422
    assert next(iter(query)) in str(response.get_json()["error"]["details"])
