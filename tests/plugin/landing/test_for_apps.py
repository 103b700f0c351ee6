"""The JSON from which an app draws the page itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.app import create_app
from plugin.content.schema import ForYouArgumentsSchema
from plugin.landing.routes import LandingArgumentsSchema
from settings.workspace import LandingSettings
from tests.conftest import WORKSPACE
from tests.plugin.conftest import error_code
from tests.plugin.landing.test_routes import FORGED, token

LINKS = LandingSettings(
    deep_links={
        "item": "shop://item/{item_id}?c={campaign}&d={decision_id}",
        "page": "shop://picks/{campaign}",
        "brand": "shop://brand/{brand}",
    },
    universal_links={
        "item": "https://shop.example/app/{item_id}",
        "category": "https://shop.example/c/{category}",
    },
)
APP = {"Accept": "application/json", "User-Agent": "Shop/7.1 CFNetwork/1490.0.4 Darwin/23.2.0"}


@pytest.fixture
def settings(settings):
    workspaces = dict(settings.workspaces)
    workspaces[WORKSPACE] = replace(workspaces[WORKSPACE], landing=LINKS)
    return replace(settings, workspaces=workspaces)


def test_every_item_says_where_it_is_in_the_app(get, published):
    document = get("/v1/landing/spring%20sale", customer="customer-001").get_json()
    decision = document["decision_id"]
    for item in document["items"]:
        assert item["app_url"] == f"shop://item/{item['id']}?c=spring%20sale&d={decision}"
        assert item["universal_url"] == f"https://shop.example/app/{item['id']}"
    assert (document["app_url"], document["universal_url"]) == ("shop://picks/spring%20sale", None)


def test_brands_and_categories_lead_into_the_app_too(get, published):
    document = get("/v1/landing/spring", customer="customer-001").get_json()
    assert [link["name"] for link in document["brand_links"]] == document["brands"]
    assert document["brand_links"][0]["app_url"].startswith("shop://brand/brand-")
    assert document["category_links"][0]["universal_url"].startswith(
        "https://shop.example/c/food%20%3E%20category-"
    )


def test_without_templates_there_are_no_links(settings, redis_url, key, published):
    plain = replace(settings.workspaces[WORKSPACE], landing=LandingSettings())
    app = create_app(replace(settings, workspaces={WORKSPACE: plain}), redis_url=redis_url)
    answer = app.test_client().get("/v1/landing/spring", headers={"X-Api-Key": key})
    document = answer.get_json()
    assert {item["app_url"] for item in document["items"]} == {None}
    assert (document["brand_links"], document["category_links"]) == ([], [])


def test_an_app_that_was_opened_by_the_link_needs_no_key(client, get, published):
    by_key = get("/v1/landing/spring", customer="customer-001").get_json()
    by_link = client.get(f"/l/{token()}", headers=APP).get_json()
    assert [item["id"] for item in by_link["items"]] == [item["id"] for item in by_key["items"]]
    assert by_link["campaign"] == "spring"


def test_a_browser_gets_the_page(client, published):
    for accept in ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*", ""):
        assert client.get(f"/l/{token()}", headers={"Accept": accept}).mimetype == "text/html"


@pytest.mark.parametrize("link", FORGED.values(), ids=FORGED)
def test_bad_input_a_link_that_is_not_good_gives_an_app_best_sellers(client, published, link):
    document = client.get(f"/l/{link}", headers=APP).get_json()
    assert not document["customer_known"]
    assert document["reason"] == "unknown_customer"
    assert [item["id"] for item in document["items"]][:2] == ["item-00", "item-01"]


def test_the_filters_and_the_currency_of_every_content_call_count(get, published):
    plain = get("/v1/landing/spring", customer="customer-001").get_json()
    first = plain["items"][0]
    asked = {"brand": first["brand"], "exclude": first["id"], "currency": "USD", "limit": 3}
    found = get("/v1/landing/spring", customer="customer-001", **asked).get_json()
    assert 0 < len(found["items"]) <= 3
    assert {item["brand"] for item in found["items"]} == {first["brand"]}
    assert first["id"] not in [item["id"] for item in found["items"]]
    assert found["items"][0]["local_currency"] == "USD"
    assert found["decision_id"] != plain["decision_id"]


def test_bad_input_a_currency_without_a_rate_is_refused(get, published):
    response = get("/v1/landing/spring", customer="customer-001", currency="EUR")
    assert response.status_code == 422
    assert error_code(response) == "invalid_parameters"


def test_what_is_documented_for_the_page_is_what_counts():
    names = {each.data_key or name for name, each in LandingArgumentsSchema().fields.items()}
    content = {each.data_key or name for name, each in ForYouArgumentsSchema().fields.items()}
    assert names == content - {"campaign", "locale"} | {"lang"}
