"""An example answer of each kind, for the API's description and for docs/content.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ITEM: Mapping[str, Any] = {
    "id": "1082185",
    "name": "Bananas",
    "brand": "National",
    "category": "PRODUCE > TROPICAL FRUIT",
    "price": 0.99,
    "image_url": "https://shop.example/p/1082185.jpg",
    "url": "https://shop.example/p/1082185",
    "score": 0.412,
    "reasons": ["Bought it on 6 days, last 9 days ago", "Due again: usually every 8 days"],
}
_NO_REASONS: Mapping[str, Any] = {"reasons": []}
_PICTURE = {
    "item": _ITEM["id"],
    "image_url": _ITEM["image_url"],
    "url": _ITEM["url"],
}
# kind → what its item has beside, and what its answer has beside
_BESIDE: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "for-you": ({}, {}),
    "related": ({**_NO_REASONS, "score": 0.183}, {}),
    "bought-together": ({**_NO_REASONS, "score": 0.247}, {}),
    "cart": (
        {
            **_NO_REASONS,
            "score": 1.0,
            "in_cart": True,
            "added_at": "2026-03-01T18:20:00Z",
            "hours_in_cart": 14,
            "quantity": 6.0,
            "price_then": 1.19,
            "price_drop": 0.2,
            "stock": 4,
            "low_stock": True,
        },
        {
            "cart": {
                "items": 1,
                "quantity": 6.0,
                "total": 5.94,
                "oldest_added_at": "2026-03-01T18:20:00Z",
                "unavailable": [{"id": "981760", "reason": "sold_out"}],
            }
        },
    ),
    "back-in-stock": (
        {"watched": "view", "watched_at": "2026-02-25T00:00:00Z", "back_since": "2026-02-28"},
        {},
    ),
    "price-drop": (
        {
            "watched": "cart",
            "watched_at": "2026-02-25T00:00:00Z",
            "price_then": 1.19,
            "price_drop": 0.2,
            "drop_share": 0.168,
        },
        {},
    ),
    "replenishment": (
        {
            **_NO_REASONS,
            "score": 1.125,
            "due_on": "2026-03-01",
            "interval_days": 8,
            "last_bought_on": "2026-02-21",
        },
        {},
    ),
    "new-arrivals": ({**_NO_REASONS, "score": 0.021, "new_since": "2026-02-25"}, {}),
    "brands": ({}, {"brands": [{"name": "National", "score": 0.61, **_PICTURE}]}),
    "categories": (
        {},
        {"categories": [{"name": "PRODUCE > TROPICAL FRUIT", "score": 0.58, **_PICTURE}]},
    ),
    "rank": ({}, {"left_out": [{"id": "981760", "reason": "sold_out"}]}),
}


def answer(kind: str) -> dict[str, Any]:
    """An answer with one item."""
    item, members = _BESIDE[kind]
    return {
        "ok": True,
        "fallback": False,
        "reason": None,
        "send": True,
        "send_reason": None,
        "customer_known": True,
        "snapshot": "20260302T030000Z",
        "decision_id": "5f1d7c6a0f3e4b0f9a4be0b7c4d0a6e2",
        "items": [{**_ITEM, **item}],
        "landing_url": "https://rightsend.example/l/AgQAAAwQAGmk",
        **members,
    }
