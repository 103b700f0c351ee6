"""What people do in the shop: calls of Segment's spec, as its Webhooks destination sends them.

A call that names a user and an anonymous id links the two: what the anonymous one did becomes the
user's. An anonymous id is a device of ours (``device_id:…`` at send time). An order is one purchase
for each of its products. Traits, addresses and the rest of ``context`` are not kept.

https://segment.com/docs/connections/spec/ecommerce/v2/
https://segment.com/docs/connections/destinations/catalog/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.inbound import (
    Forbidden,
    Inbound,
    Webhook,
    documents,
    gathered,
    require_same,
    text,
)
from settings import vocabulary as v

TRACKED = {
    "Product Viewed": "view",
    "Products Searched": "search",
    "Product Added": v.CART,
    "Product Removed": v.CART,
    "Wishlist Product Added to Cart": v.CART,
    "Product Added to Wishlist": v.INTEREST,
    "Order Completed": v.PURCHASE,
    "Order Refunded": v.RETURN,
    "Order Cancelled": v.RETURN,
    "Application Opened": v.APP_OPEN,
    "Signed Up": "signup",
}
REMOVED = "Product Removed"  # from the cart: there are 0 of it
OF_AN_ORDER = (v.PURCHASE, v.RETURN)
KEPT = ("order_id", "currency", "query", "coupon", "variant")
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
Found = dict[str, Any] | str | None


def verify(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """The signature is an HMAC-SHA1 of the body, as hex. Raises Forbidden."""
    secret = options.get("shared_secret")
    if not secret:
        raise Forbidden("the connection has no secret to check a signature with")
    expected = hmac.digest(secret.encode(), body, hashlib.sha1).hex()
    require_same(headers.get("x-signature", "").lower(), expected)


def read(body: bytes, _headers: Mapping[str, str], options: Mapping[str, Any]) -> Inbound:
    """The events of a request. Raises BadBody."""
    return gathered(
        event for document in documents(body, key="batch") for event in _events(document, options)
    )


def _events(call: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Found]:
    kind, properties = text(call.get("type")), _object(call.get("properties"))
    name = text(call.get("event")) or "track" if kind == "track" else kind or "call without type"
    word = _word(kind, name, properties, options)
    if word is None:
        yield name
        return
    base = _who_and_when(call, kind)
    if base is None:
        yield None
        return
    base[v.EVENT_TYPE] = word
    if word in OF_AN_ORDER:
        yield from _lines(base, properties, options)
        return
    base |= _item(properties, options)
    if name == REMOVED:
        base[v.QUANTITY] = 0.0
    if word in (v.CART, v.INTEREST) and not base.get(v.ITEM_ID):
        yield None
        return
    yield base | {v.PROPERTIES: _kept(properties)}


def _word(
    kind: str | None, name: str, properties: Mapping[str, Any], options: Mapping[str, Any]
) -> str | None:
    """The event type of a call, None where we have none."""
    if kind == "track":
        custom: Mapping[str, str] = options.get("custom_events") or {}
        return custom.get(name) or TRACKED.get(name)
    if kind in ("identify", "alias"):
        return v.LINK
    if kind in ("page", "screen") and text(properties.get(_item_property(options))):
        return "view"
    return None


def _who_and_when(call: Mapping[str, Any], kind: str | None) -> dict[str, Any] | None:
    """What all events of a call have; None without a person, a time, or what an alias links."""
    user = text(call.get("userId"))
    device = text(call.get("previousId" if kind == "alias" else "anonymousId"))
    occurred_at = next((each for name in _TIMES if (each := _time(call.get(name)))), None)
    if occurred_at is None or not (user or device):
        return None
    if kind in ("identify", "alias") and not (user and device):
        return None
    return {
        v.EVENT_ID: text(call.get("messageId")),
        v.OCCURRED_AT: occurred_at,
        v.IDENTIFIER: user or device,
        v.IDENTIFIER_KIND: v.EXTERNAL_ID if user else v.DEVICE_ID,
        v.DEVICE_ID: device,
        v.CHANNEL: _surface(call),
    }


def _lines(
    base: Mapping[str, Any], properties: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[Found]:
    """An event for each product of an order; the order alone does not say what was bought."""
    products = properties.get("products")
    lines = products if isinstance(products, list) else [properties]
    if not lines:
        yield None
    for number, line in enumerate(lines):
        item = _item(_object(line), options)
        if not item[v.ITEM_ID]:
            yield None
            continue
        call = base[v.EVENT_ID]
        own = {v.EVENT_ID: call and f"{call}/{number}", v.PROPERTIES: _kept(properties)}
        yield {**base, **item, **own}


def _item(properties: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    quantity = _number(properties.get("quantity"))
    return {
        v.ITEM_ID: text(properties.get(_item_property(options))),
        v.QUANTITY: quantity if quantity and quantity > 0 else None,
        v.UNIT_PRICE: _number(properties.get("price")),
    }


def _item_property(options: Mapping[str, Any]) -> str:
    return str(options.get("item_property") or "product_id")


def _kept(properties: Mapping[str, Any]) -> dict[str, str]:
    found = ((name, properties.get(name)) for name in KEPT)
    return {name: str(value) for name, value in found if isinstance(value, str | int) and value}


def _surface(call: Mapping[str, Any]) -> str | None:
    context = _object(call.get("context"))
    if isinstance(context.get("page"), dict):
        return "web"
    return "app" if isinstance(context.get("app"), dict) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    """Of a number, or of a text that is one; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


WEBHOOK = Webhook(verify, read)
