"""The section ``landing`` of a workspace file: what the page says, how it looks, where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema
from marshmallow.validate import OneOf, Regexp

from settings.colors import READABLE, contrast
from settings.fields import (
    COLOR,
    WEB_URL,
    Mapped,
    Strict,
    Text,
    WholeNumber,
    about,
    between,
    filled,
)
from settings.problems import one_of
from settings.templates import complaint
from settings.workspace import LandingSettings

LOCALES = ("en", "ko")
COLORS = ("page", "card", "text")
DARK_COLORS = (*COLORS, "accent")
DARK_MODES = ("auto", "always", "never")
_EVERYWHERE = ("campaign", "decision_id")
PLACES = {"item": ("item_id",), "brand": ("brand",), "category": ("category",), "page": ()}
_FONT = Regexp(
    r"[\w가-힣 ,.'\"-]{1,300}\Z", error='names of fonts such as "Pretendard, sans-serif"'
)


def only(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], None]:
    """A mapping's validator: no other keys."""

    def check(mapping: Mapping[str, Any]) -> None:
        errors = {key: [one_of(names, key)] for key in mapping if key not in names}
        if errors:
            raise ValidationError(errors)

    return check


def _links(mapping: Mapping[str, str], *, https: bool) -> None:
    only(tuple(PLACES))(mapping)
    errors = {}
    for key, template in mapping.items():
        wrong = complaint(template, (*PLACES[key], *_EVERYWHERE), PLACES[key])
        if wrong is None and https and not template.startswith("https://"):
            wrong = "an https:// address"
        if wrong:
            errors[key] = [wrong]
    if errors:
        raise ValidationError(errors)


def _deep(mapping: Mapping[str, str]) -> None:
    _links(mapping, https=False)


def _universal(mapping: Mapping[str, str]) -> None:
    _links(mapping, https=True)


def _resized(template: str) -> None:
    places = ("image_url", "width")
    whole = f"https://shop/{template}" if template.startswith("{image_url}") else template
    wrong = complaint(whole, places, places)
    if wrong or not whole.startswith("https://"):
        raise ValidationError(wrong or "an https:// address")


class LandingSchema(Strict):
    target = LandingSettings

    title = Mapped(
        Text(validate=filled(200)),
        validate=only(LOCALES),
        metadata=about(
            "heading by locale; a locale that is left out keeps its default",
            {"en": "Fresh for you", "ko": "오늘의 추천"},
        ),
    )
    shop_name = Text(
        allow_none=True,
        validate=filled(80),
        metadata=about("stands over the heading, and for the logo where it is not seen", "Shop"),
    )
    shop_url = Text(
        allow_none=True,
        validate=WEB_URL,
        metadata=about("where the name or logo leads, and an empty page", "https://shop.example/"),
    )
    logo_url = Text(
        allow_none=True,
        validate=WEB_URL,
        metadata=about("picture over the heading", "https://shop.example/logo.svg"),
    )
    dark_logo_url = Text(
        allow_none=True,
        validate=WEB_URL,
        metadata=about(
            "the logo on a dark page; default: the same", "https://shop.example/logo-dark.svg"
        ),
    )
    accent_color = Text(
        validate=COLOR,
        metadata=about(
            "colour of links and marks; where it would be hard to read it is darkened or lightened",
            "#0b5cd5",
        ),
    )
    colors = Mapped(
        Text(validate=COLOR),
        validate=only(COLORS),
        metadata=about(
            "page, card and text by day; a colour that is left out keeps its default",
            {"page": "#f6f5f2", "card": "#ffffff", "text": "#1b1b1f"},
        ),
    )
    dark_colors = Mapped(
        Text(validate=COLOR),
        validate=only(DARK_COLORS),
        metadata=about(
            "page, card, text and accent of the dark page", {"page": "#131316", "card": "#1e1e22"}
        ),
    )
    dark_mode = Text(
        validate=OneOf(DARK_MODES),
        metadata=about("auto: as the customer's device has it", "auto"),
    )
    font = Text(
        allow_none=True,
        validate=_FONT,
        metadata=about(
            "fonts of the customer's device, the first one first; default: the device's own. "
            "No font is loaded from anywhere",
            "Pretendard, sans-serif",
        ),
    )
    image_url = Text(
        allow_none=True,
        validate=_resized,
        metadata=about(
            "where a picture of another width is had: phones then load small ones; {image_url} is "
            "the item's own address, percent-encoded unless the template begins with it",
            "{image_url}?w={width}",
        ),
    )
    deep_links = Mapped(
        Text(validate=filled()),
        validate=_deep,
        metadata=about(
            "addresses in the shop's app for the page's JSON; keys item, brand, category, page; "
            "places {item_id}, {brand}, {category} of their key, {campaign} and {decision_id}",
            {"item": "shop://item/{item_id}"},
        ),
    )
    universal_links = Mapped(
        Text(validate=filled()),
        validate=_universal,
        metadata=about(
            "the same as https addresses which open the app where it is installed (iOS: universal "
            "links, Android: app links)",
            {"item": "https://shop.example/app/item/{item_id}?from={campaign}"},
        ),
    )
    link_ttl_days = WholeNumber(
        validate=between(1, 3650), metadata=about("a landing link works this long", 30)
    )
    limit = WholeNumber(validate=between(1, 100), metadata=about("items on the page", 24))

    @validates_schema
    def text_is_readable(self, data: dict[str, Any], **_: Any) -> None:
        default = LandingSettings()
        for key in ("colors", "dark_colors"):
            if key not in data:
                continue
            found = {**getattr(default, key), **data[key]}
            for ground in ("page", "card"):
                ratio = contrast(found["text"], found[ground])
                if ratio < READABLE:
                    raise ValidationError(
                        f"text to have a contrast of at least {READABLE} on {ground} (WCAG 2.2; "
                        f"it is {ratio:.1f})",
                        key,
                    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> LandingSettings:
        default = LandingSettings()
        for key in ("title", "colors", "dark_colors"):
            if key in data:
                data[key] = {**getattr(default, key), **data[key]}
        return LandingSettings(**data)
