"""What the messaging tool gets for one recipient."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plugin.app import create_app
from plugin.landing.token import Links
from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF, make_snapshot
from tests.plugin.conftest import PUBLIC_URL, error_code

FOR_YOU = "/v1/content/for-you"
FIELDS = {
    "ok", "fallback", "reason", "send", "send_reason", "customer_known", "snapshot", "decision_id",
    "items", "landing_url",
}  # fmt: skip
ITEM_FIELDS = {"id", "name", "brand", "category", "price", "image_url", "url", "score", "reasons"}


def ids(response) -> list[str]:
    return [item["id"] for item in response.get_json()["items"]]


@pytest.fixture
def bought(redis_client):
    """bought(customer, item, days_ago): an event that has just come in."""
    recent = RecentEvents(redis_client, WORKSPACE, SECRET)

    def remember(customer: str, item: str, days_ago: float = 0.1) -> None:
        recent.remember([
            {
                "event_id": f"{customer}-{item}",
                "occurred_at": CUTOFF - timedelta(days=days_ago),
                "identifier": customer,
                "identifier_kind": "external_id",
                "event_type": "purchase",
                "item_id": item,
            }
        ])  # fmt: skip

    return remember


@pytest.mark.parametrize("route", ["for-you", "related", "bought-together"])
def test_an_answer_has_everything_that_a_template_needs(get, published, route):
    response = get(f"/v1/content/{route}", customer="customer-001", item="item-03")
    document = response.get_json()
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert set(document) == FIELDS
    assert (document["ok"], document["fallback"], document["reason"]) == (True, False, None)
    assert document["customer_known"]
    assert document["snapshot"] == published.meta.snapshot
    assert all(set(item) == ITEM_FIELDS for item in document["items"])


def test_each_customer_gets_the_own_items_best_first(get, published):
    first = get(FOR_YOU, customer="customer-001").get_json()["items"]
    assert ids(get(FOR_YOU, customer="customer-002")) != [item["id"] for item in first]
    scores = [item["score"] for item in first]
    assert scores == sorted(scores, reverse=True)
    expected = published.scores().slice(1, 1).to_pylist()[0]["item_index"]
    assert [item["id"] for item in first] == [f"item-{index:02d}" for index in expected]


TOLD = {
    "en": [["Bought it on 3 days, last 200 days ago", "Due again: usually every 14 days"], [],
           ["A best seller now: 12% of customers bought it in 4 weeks"]],
    "ko": [["이 상품 구매일수 3일, 마지막 구매 200일 전", "재구매 시기: 보통 14일 간격"], [],
           ["지금 베스트셀러: 최근 4주간 고객의 12% 구매"]],
}  # fmt: skip


def test_the_first_items_say_why_and_the_others_nothing(get, published):
    items = get(FOR_YOU, customer="customer-001").get_json()["items"]
    assert [item["reasons"] for item in items] == [*TOLD["en"], *[[]] * 7]


def test_reasons_are_in_the_workspaces_language(settings, redis_url, key, published):
    korean = replace(settings.workspaces[WORKSPACE], locale="ko")
    app = create_app(replace(settings, workspaces={WORKSPACE: korean}), redis_url=redis_url)
    headers = {"X-Api-Key": key}
    answer = app.test_client().get(f"{FOR_YOU}?customer=customer-001&limit=3", headers=headers)
    assert [item["reasons"] for item in answer.get_json()["items"]] == TOLD["ko"]
    shown = app.test_client().get("/v1/customers/customer-001", headers=headers).get_json()
    assert [item["reasons"] for item in shown["items"][:3]] == TOLD["ko"]


def test_reasons_stay_with_their_item_when_one_before_it_is_left_out(get, published, bought):
    items = get(FOR_YOU, customer="customer-001").get_json()["items"]
    bought("customer-001", items[0]["id"])
    after = get(FOR_YOU, customer="customer-001", limit=2).get_json()["items"]
    assert [(item["id"], item["reasons"]) for item in after] == [
        (item["id"], item["reasons"]) for item in items[1:3]
    ]


@pytest.mark.parametrize("route", ["for-you", "related", "bought-together"])
def test_what_is_popular_or_goes_with_an_item_has_no_reasons(get, published, route):
    asked = {"for-you": "nobody"}.get(route, "customer-001")
    items = get(f"/v1/content/{route}", customer=asked, item="item-03").get_json()["items"]
    assert items
    assert all(item["reasons"] == [] for item in items)


def test_the_same_call_gives_the_same_bytes(get, published):
    calls = [get(FOR_YOU, customer="customer-001", campaign="spring") for _ in range(2)]
    assert calls[0].data == calls[1].data


def test_another_call_is_another_decision(get, published):
    asked = [{"customer": "customer-001"}, {"customer": "customer-002"}, {"limit": 3}]
    decisions = {get(FOR_YOU, **query).get_json()["decision_id"] for query in asked}
    assert len(decisions) == 3


def test_another_night_is_another_decision(get, published, publish, workspace_dir):
    before = get(FOR_YOU, customer="customer-001").get_json()
    publish(make_snapshot(workspace_dir, "20171205T000000", seed=2))
    after = get(FOR_YOU, customer="customer-001").get_json()
    assert after["snapshot"] == "20171205T000000"
    assert after["decision_id"] != before["decision_id"]


def test_the_limit_is_kept_and_cut_to_the_workspaces(get, published):
    assert len(ids(get(FOR_YOU, customer="customer-001", limit=3))) == 3
    assert len(ids(get(FOR_YOU, customer="customer-001"))) == 10
    # popular items follow the customer's ten; one of the thirty cannot be sold
    assert len(ids(get(FOR_YOU, customer="customer-001", limit=10**30))) == 29


def test_items_that_fill_up_never_repeat_and_never_score_higher(get, published):
    items = get(FOR_YOU, customer="customer-001", limit=29).get_json()["items"]
    assert len({item["id"] for item in items}) == 29
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)


def test_bought_just_now_is_not_recommended(get, published, bought):
    best = ids(get(FOR_YOU, customer="customer-001"))[0]
    bought("customer-001", best)
    assert best not in ids(get(FOR_YOU, customer="customer-001", limit=50))
    assert best not in ids(get("/v1/content/related", customer="customer-001", item="item-03"))


def test_bought_long_ago_is_recommended_again(get, published, bought):
    best = ids(get(FOR_YOU, customer="customer-001"))[0]
    bought("customer-001", best, days_ago=3)
    assert ids(get(FOR_YOU, customer="customer-001"))[0] == best


@pytest.mark.parametrize("query", [{}, {"customer": ""}, {"customer": "nobody"}])
def test_a_customer_whom_nobody_knows_gets_what_is_popular(get, published, query):
    document = get(FOR_YOU, **query).get_json()
    assert (document["reason"], document["customer_known"]) == ("unknown_customer", False)
    assert [item["id"] for item in document["items"][:3]] == ["item-00", "item-01", "item-02"]


@pytest.mark.parametrize("route", ["related", "bought-together"])
def test_an_unknown_item_gives_what_is_popular(get, published, route):
    document = get(f"/v1/content/{route}", item="no such item").get_json()
    assert (document["fallback"], document["reason"]) == (True, "unknown_item")
    assert document["items"][0]["id"] == "item-00"


@pytest.mark.parametrize("route", ["related", "bought-together"])
def test_an_item_is_not_beside_itself_and_needs_no_customer(get, published, route):
    document = get(f"/v1/content/{route}", item="item-03").get_json()
    assert (document["fallback"], document["customer_known"]) == (False, False)
    assert document["items"]
    assert "item-03" not in [item["id"] for item in document["items"]]


def test_before_the_first_night_there_is_an_answer_without_items(get):
    document = get(FOR_YOU, customer="customer-001").get_json()
    assert (document["ok"], document["fallback"]) == (True, True)
    assert (document["reason"], document["items"], document["snapshot"]) == (
        "no_snapshot",
        [],
        None,
    )


def test_without_the_store_the_best_known_items_come_from_disk(get, published, own_client_down):
    document = get(FOR_YOU, customer="customer-001", limit=3).get_json()
    assert (document["fallback"], document["reason"]) == (True, "store_unavailable")
    assert [item["id"] for item in document["items"]] == ["item-00", "item-01", "item-02"]
    assert document["snapshot"] == published.meta.snapshot


def test_the_link_in_a_fallback_is_still_the_customers_own(get, published, own_client_down):
    token = get(FOR_YOU, customer="customer-001").get_json()["landing_url"].rsplit("/", 1)[1]
    assert Links(SECRET).read(token).customer


@pytest.fixture
def own_client_down(app, monkeypatch):
    """Redis away, as the send-time client sees it."""
    import redis

    def refuse(*_args, **_kwargs):
        raise redis.ConnectionError("down")

    monkeypatch.setattr(redis.connection.ConnectionPool, "get_connection", refuse)


def test_the_landing_link_is_signed_without_the_customers_id(get, published):
    url = get(FOR_YOU, customer="customer-001", campaign="spring").get_json()["landing_url"]
    assert url.startswith(f"{PUBLIC_URL}/l/")
    assert "customer-001" not in url
    landing = Links(SECRET).read(url.rsplit("/", 1)[1])
    assert (landing.workspace, landing.campaign) == (WORKSPACE, "spring")
    assert landing.expires_at == int((CUTOFF + timedelta(days=30)).timestamp())


@pytest.mark.parametrize("customer", ["ü/ñ 한국 🛒", "a+b&c=d?#%", "x" * 988, "%00", "../../etc"])
def test_any_text_may_be_a_customers_id(get, published, customer):
    assert get(FOR_YOU, customer=customer).status_code == 200


def test_a_slash_at_the_end_is_no_redirect(get, published):
    assert get(f"{FOR_YOU}/", customer="customer-001").status_code == 200


def test_a_workspace_never_answers_for_another(client, settings, published):
    from plugin.auth import Keys

    _, other = Keys(settings.workspace_dir("other")).create("content")
    response = client.get(f"{FOR_YOU}?customer=customer-001", headers={"X-Api-Key": other})
    assert response.get_json()["reason"] == "no_snapshot"


@pytest.mark.parametrize("limit", ["abc", "-1", "0", "1.5", "", "1e3", "٣x"])
def test_bad_input_limit_is_422_and_named(get, published, limit):
    response = get(FOR_YOU, customer="customer-001", limit=limit)
    assert (response.status_code, error_code(response)) == (422, "invalid_parameters")
    assert list(response.get_json()["error"]["details"]) == ["limit"]


@pytest.mark.parametrize("name", ["customer", "campaign"])
def test_bad_input_id_of_989_bytes_is_422(get, published, name):
    response = get(FOR_YOU, **{name: "x" * 989})
    assert (response.status_code, list(response.get_json()["error"]["details"])) == (422, [name])


def test_bad_input_item_of_989_bytes_is_422(get, published):
    assert get("/v1/content/related", item="é" * 495).status_code == 422


def test_bad_input_broken_utf8_in_the_query_is_an_unknown_customer(client, key, published):
    response = client.get(f"{FOR_YOU}?customer=%ff%fe", headers={"X-Api-Key": key})
    assert (response.status_code, response.get_json()["reason"]) == (200, "unknown_customer")
