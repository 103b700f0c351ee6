"""The landing page as JSON, for an app that draws it itself: with addresses that lead into the app.

``landing.deep_links`` and ``landing.universal_links`` of the workspace say how these look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import marshmallow as ma
import orjson
from marshmallow import fields

from plugin.content.answer import compose
from plugin.content.answer_schema import ContentSchema, ItemSchema
from plugin.content.call import Call
from plugin.content.service import Chosen
from plugin.landing.page import Content, Page
from plugin.runtime import Runtime, Workspace
from settings.templates import filled_in
from settings.workspace import LandingSettings


class AppLinksSchema(ma.Schema):
    app_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "By landing.deep_links", "example": "shop://item/1082185"},
    )
    universal_url = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "By landing.universal_links",
            "example": "https://shop.example/app/item/1082185",
        },
    )


class LandingItemSchema(ItemSchema, AppLinksSchema):
    """An item, and where it is in the app."""


class NamedLinksSchema(AppLinksSchema):
    name = fields.String(required=True)


class LandingSchema(ContentSchema, AppLinksSchema):
    """The landing page's content, for an app that draws it itself."""

    campaign = fields.String(required=True)
    lang = fields.String(required=True)
    title = fields.String(required=True)
    items = fields.List(fields.Nested(LandingItemSchema), required=True)
    categories = fields.List(
        fields.String(), required=True, metadata={"description": "The customer's, best first"}
    )
    brands = fields.List(fields.String(), required=True)
    category_links = fields.List(
        fields.Nested(NamedLinksSchema), required=True, metadata={"description": "As categories"}
    )
    brand_links = fields.List(
        fields.Nested(NamedLinksSchema), required=True, metadata={"description": "As brands"}
    )


def document(
    runtime: Runtime, here: Workspace, call: Call, chosen: Chosen, shown: tuple[Content, Page]
) -> dict[str, Any]:
    """The answer to ``call`` with what the page shows of it; ``shown``: the page and what it was
    made of."""
    content, page = shown
    found: dict[str, Any] = orjson.loads(compose(runtime, here, call, chosen))
    links = _Links(here.settings.landing, call.campaign, found["decision_id"])
    for item in found["items"]:
        item |= links.of("item", item_id=item["id"])
    return found | {
        "campaign": call.campaign,
        "lang": page.language,
        "title": page.title,
        **links.of("page"),
        "categories": list(content.categories),
        "brands": list(content.brands),
        "category_links": links.named("category", content.categories),
        "brand_links": links.named("brand", content.brands),
    }


class _Links:
    """The app's addresses in one answer."""

    def __init__(self, settings: LandingSettings, campaign: str, decision_id: str) -> None:
        self._deep = settings.deep_links
        self._universal = settings.universal_links
        self._everywhere = {"campaign": campaign, "decision_id": decision_id}

    def of(self, key: str, **values: str) -> dict[str, str | None]:
        known = self._everywhere | values
        return {
            "app_url": _address(self._deep, key, known),
            "universal_url": _address(self._universal, key, known),
        }

    def named(self, key: str, names: Iterable[str]) -> list[dict[str, str | None]]:
        if key not in self._deep and key not in self._universal:
            return []
        return [{"name": name, **self.of(key, **{key: name})} for name in names]


def _address(templates: Mapping[str, str], key: str, values: Mapping[str, str]) -> str | None:
    template = templates.get(key)
    return None if template is None else filled_in(template, values)
