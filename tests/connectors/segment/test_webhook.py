"""What Segment sends becomes canonical events."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.inbound import BadBody, Forbidden, Inbound
from connectors.segment.options import SegmentOptions
from connectors.segment.webhook import WEBHOOK

SECRET = "shared-secret"
OPTIONS = SegmentOptions().load({"shared_secret": SECRET})
WHEN = datetime(2026, 3, 2, 9, 15, 0, 250_000, tzinfo=UTC)
CALL: dict[str, Any] = {
    "type": "track",
    "event": "Product Viewed",
    "messageId": "ajs-1",
    "userId": "42",
    "anonymousId": "a1b2",
    "timestamp": "2026-03-02T09:15:00.250Z",
    "sentAt": "2026-03-02T09:15:01.000Z",
    "context": {"ip": "203.0.113.7", "page": {"url": "https://shop.example/p/7?email=a"}},
    "properties": {"product_id": "7", "sku": "S-7", "price": 19.99, "email": "a@example.com"},
}
PRODUCTS = [
    {"product_id": "7", "price": "19.99", "quantity": 2},
    {"product_id": 8, "price": 5},
]


def read(*calls: dict[str, Any], **options: Any) -> Inbound:
    body = json.dumps({"batch": list(calls)} if len(calls) != 1 else calls[0]).encode()
    return WEBHOOK.read(body, {}, {**OPTIONS, **options})


def track(event: str, **properties: Any) -> dict[str, Any]:
    return {**CALL, "event": event, "properties": properties}


def test_a_call_is_a_canonical_event_without_anything_personal() -> None:
    assert read(CALL).events == [
        {
            "event_id": "ajs-1",
            "occurred_at": WHEN,
            "identifier": "42",
            "identifier_kind": "external_id",
            "device_id": "a1b2",
            "channel": "web",
            "event_type": "view",
            "item_id": "7",
            "quantity": None,
            "unit_price": 19.99,
            "properties": {},
        }
    ]


@pytest.mark.parametrize(
    ("event", "event_type"),
    [("Product Viewed", "view"), ("Product Added", "cart"), ("Products Searched", "search"),
     ("Product Added to Wishlist", "interest"), ("Order Completed", "purchase"),
     ("Order Refunded", "return"), ("Wishlist Product Added to Cart", "cart")],
)  # fmt: skip
def test_each_call_of_the_spec_has_its_word(event: str, event_type: str) -> None:
    (found,) = read({**CALL, "event": event}).events
    assert (found["event_type"], found["item_id"]) == (event_type, "7")


def test_what_is_put_into_the_cart_and_taken_out() -> None:
    put, took = read(
        track("Product Added", product_id="7", quantity=3, price=2),
        track("Product Removed", product_id="7", quantity=1),
    ).events
    assert (put["event_type"], put["quantity"], put["unit_price"]) == ("cart", 3, 2)
    assert (took["event_type"], took["quantity"]) == ("cart", 0)


@pytest.mark.parametrize("event", ["Order Completed", "Order Refunded"])
def test_each_product_of_an_order_is_an_event_of_its_own(event: str) -> None:
    call = track(event, products=PRODUCTS, order_id="o-9", currency="USD", total=44.98)
    lines = read(call).events
    assert [(e["event_id"], e["item_id"], e["quantity"], e["unit_price"]) for e in lines] == [
        ("ajs-1/0", "7", 2, 19.99),
        ("ajs-1/1", "8", None, 5),
    ]
    assert lines[0]["properties"] == {"order_id": "o-9", "currency": "USD"}


def test_an_anonymous_visitor_is_a_device() -> None:
    (found,) = read({**CALL, "userId": None}).events
    assert (found["identifier_kind"], found["identifier"]) == ("device_id", "a1b2")


def test_identify_and_alias_link_the_device() -> None:
    identify = {**CALL, "type": "identify", "traits": {"email": "a@example.com"}}
    alias = {**CALL, "type": "alias", "previousId": "old", "anonymousId": None}
    events = read(identify, alias).events
    assert [(e["event_type"], e["identifier"], e["device_id"]) for e in events] == [
        ("link", "42", "a1b2"),
        ("link", "42", "old"),
    ]
    assert "example.com" not in str(events)


def test_a_page_about_a_product_is_a_view_and_another_is_counted() -> None:
    page, screen = {**CALL, "type": "page"}, {**CALL, "type": "screen", "properties": {}}
    told = read(page, screen, {**CALL, "type": "group"}, track("Coupon Applied"))
    assert [event["event_type"] for event in told.events] == ["view"]
    assert told.unknown == {"screen": 1, "group": 1, "Coupon Applied": 1}


def test_an_app_is_told_from_the_web() -> None:
    channels = [
        read({**CALL, "context": context}).events[0]["channel"]
        for context in ({"app": {"name": "Shop"}}, {"page": {}}, {}, None)
    ]
    assert channels == ["app", "web", None, None]


def test_a_shops_own_words_and_its_own_item_property() -> None:
    call = track("Size Chosen", sku="S-7", query=None, variant="red")
    (found,) = read(call, custom_events={"Size Chosen": "view"}, item_property="sku").events
    assert (found["event_type"], found["item_id"]) == ("view", "S-7")
    assert found["properties"] == {"variant": "red"}


def test_without_an_id_or_its_own_time_a_call_is_still_told() -> None:
    call = {**CALL, "messageId": None, "timestamp": None, "originalTimestamp": "soon"}
    (found,) = read(call).events
    assert (found["event_id"], found["occurred_at"].second) == (None, 1)


@pytest.mark.parametrize(
    "call",
    [{**CALL, "userId": None, "anonymousId": None}, {**CALL, "timestamp": 7, "sentAt": None},
     {**CALL, "type": "identify", "userId": None}, {**CALL, "type": "alias"},
     track("Product Added"), track("Order Completed", products=[]),
     track("Order Completed", total=3), track("Order Completed", products=[7])],
)  # fmt: skip
def test_bad_input_a_call_that_lacks_what_its_event_needs_is_counted(call: dict[str, Any]) -> None:
    told = read(call)
    assert (told.events, told.malformed) == ([], 1)


@pytest.mark.parametrize("price", [None, "", "free", True, [], "1e999", {}])
def test_bad_input_a_price_that_is_none_is_left_out(price: Any) -> None:
    assert (
        read(track("Product Viewed", product_id="7", price=price)).events[0]["unit_price"] is None
    )


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null", b'{"batch": [7]}'])
def test_bad_input_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        WEBHOOK.read(body, {}, OPTIONS)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from([*CALL, "previousId", "originalTimestamp"])


@given(st.dictionaries(NAMES, JSON), st.dictionaries(st.sampled_from(["products", "price"]), JSON))
def test_bad_input_any_call_is_read_without_an_error(
    changes: dict[str, Any], properties: dict[str, Any]
) -> None:
    order = {**CALL, "event": "Order Completed", "properties": {**PRODUCTS[0], **properties}}
    told = read({**order, **changes})
    assert all(event["occurred_at"].tzinfo for event in told.events)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature": hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def test_a_signed_request_is_taken() -> None:
    # RFC 2202, test case 2
    headers = {"x-signature": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}
    WEBHOOK.verify(b"what do ya want for nothing?", headers, {"shared_secret": "Jefe"})
    WEBHOOK.verify(b"{}", signed(b"{}"), OPTIONS)


@pytest.mark.parametrize(
    ("headers", "options"),
    [(signed(b"{}", "other"), OPTIONS), (signed(b"{ }"), OPTIONS), ({}, OPTIONS),
     ({"x-signature": "é"}, OPTIONS), (signed(b"{}"), {}), ({}, {}),
     (signed(b"{}", ""), {"shared_secret": ""})],
)  # fmt: skip
def test_bad_input_a_request_that_is_not_segments_is_refused(
    headers: dict[str, str], options: dict[str, Any]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(b"{}", headers, options)
