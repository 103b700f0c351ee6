"""Stock, prices and withdrawals count in the next answer."""

from __future__ import annotations

import time

import pytest

from plugin.events.items import MAX_ITEMS
from scoring.store.keys import Keys
from scoring.store.live import LiveItem, changes
from tests.conftest import WORKSPACE
from tests.factories import CUTOFF
from tests.plugin.conftest import error_code

NOW_S = CUTOFF.timestamp()


@pytest.fixture
def told(redis_client):
    """What the store knows of items now, by id."""
    return lambda: changes(redis_client, Keys(WORKSPACE), 0).items


def test_what_is_said_is_stored_with_its_moment(post, told):
    items = [
        {"item_id": "item-01", "stock": 3, "price": 2.5, "at": "2017-12-03T23:00:00Z"},
        {"item_id": "item-02", "sellable": False, "stock": None},
    ]
    response = post("/v1/items", {"items": items})
    assert (response.status_code, response.get_json()) == (202, {"accepted": 2, "rejected": []})
    assert told()["item-01"] == LiveItem(3, 2.5, None, NOW_S - 3600, NOW_S - 3600)
    assert told()["item-02"].sellable is False
    assert 0 <= told()["item-02"].at_s - NOW_S < 60  # the workspace's clock


def answers_until(get, condition) -> bool:
    """Whether the answer comes to be so; a worker learns of a change after it was asked once."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        items = get("/v1/content/for-you", customer="customer-001").get_json()["items"]
        if condition({item["id"]: item["price"] for item in items}):
            return True
    return False


def test_what_is_said_is_in_the_next_answers(post, get, published):
    best = get("/v1/content/for-you", customer="customer-001").get_json()["items"][0]["id"]
    for gone, back in (
        ({"stock": 0}, {"stock": 5}),
        ({"sellable": False}, {"sellable": True}),
    ):
        post("/v1/items", {"items": [{"item_id": best, **gone}]})
        assert answers_until(get, lambda items: best not in items)
        post("/v1/items", {"items": [{"item_id": best, **back}]})
        assert answers_until(get, lambda items: best in items)
    post("/v1/items", {"items": [{"item_id": best, "price": 0.25}]})
    assert answers_until(get, lambda items: items.get(best) == 0.25)


def test_a_clock_that_is_ahead_does_not_silence_what_comes_next(post, told):
    post("/v1/items", {"items": [{"item_id": "a", "stock": 0, "at": "2017-12-04T12:00:00Z"}]})
    post("/v1/items", {"items": [{"item_id": "a", "stock": 5}]})
    assert told()["a"].stock == 5


def test_bad_items_do_not_cost_the_good_ones(post, told):
    items = [{"item_id": "a"}, {"item_id": "b", "stock": 1}, 7, {"item_id": "c", "price": -1}]
    document = post("/v1/items", {"items": items}).get_json()
    assert document["accepted"] == 1
    assert [(each["index"], each["code"]) for each in document["rejected"]] == [
        (0, "invalid_item"), (2, "not_an_object"), (3, "invalid_item"),
    ]  # fmt: skip
    assert set(told()) == {"b"}


def test_a_thousand_items_are_taken(post, told):
    items = [{"item_id": f"item-{number}", "stock": number} for number in range(MAX_ITEMS)]
    assert post("/v1/items", {"items": items}).get_json()["accepted"] == MAX_ITEMS
    assert len(told()) == MAX_ITEMS


@pytest.mark.parametrize(
    "document",
    [
        {}, [], 7, {"items": []}, {"items": {}}, {"items": [{"item_id": "a", "stock": 1}], "b": 1},
        {"items": [{"item_id": "a", "stock": 1}] * (MAX_ITEMS + 1)},
    ],
)  # fmt: skip
def test_bad_input_body_that_is_no_batch_is_422(post, told, document):
    response = post("/v1/items", document)
    assert (response.status_code, error_code(response)) == (422, "invalid_batch")
    assert told() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"item_id": ""}, {"item_id": 7}, {"item_id": "x" * 989}, {"item_id": "a\x00"},
        {"item_id": None},
        {"stock": -1}, {"stock": 1.5}, {"stock": "many"}, {"stock": 1e10}, {"price": "free"},
        {"price": -0.01}, {"sellable": "yes"}, {"sellable": 1}, {"at": "yesterday"},
        {"at": "1969-12-31T00:00:00Z"}, {"at": "2017-12-06T00:00:00Z"}, {"colour": "red"},
    ],
)  # fmt: skip
def test_bad_input_item_is_rejected_alone(post, told, change):
    bad = {"item_id": "a", "stock": 1, **change}
    document = post("/v1/items", {"items": [bad, {"item_id": "b", "stock": 1}]}).get_json()
    assert [each["index"] for each in document["rejected"]] == [0]
    assert set(told()) == {"b"}


def test_bad_input_a_key_of_another_scope_is_403(client, settings):
    from plugin.auth import Keys as ApiKeys

    key = ApiKeys(settings.workspace_dir(WORKSPACE)).create(("content",))[1]
    response = client.post("/v1/items", json={"items": []}, headers={"X-Api-Key": key})
    assert response.status_code == 403
