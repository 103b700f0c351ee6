"""The section ``landing``: what it may say, and that it says what is wrong."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from settings.landing_schema import LandingSchema
from settings.templates import filled_in
from settings.workspace import LandingSettings


def load(**section) -> LandingSettings:
    return LandingSchema().load(section)


def test_a_theme_keeps_the_defaults_of_what_it_leaves_out():
    landing = load(colors={"page": "#ffffff"}, title={"en": "Hi"})
    assert landing.colors == {**LandingSettings().colors, "page": "#ffffff"}
    assert landing.title["ko"] == LandingSettings().title["ko"]


def test_links_into_the_app_are_filled_and_encoded():
    landing = load(
        deep_links={"item": "shop://item/{item_id}?c={campaign}", "page": "shop://picks"},
        universal_links={"brand": "https://shop.example/b/{brand}"},
    )
    link = filled_in(landing.deep_links["item"], {"item_id": "a/b&c", "campaign": "봄"})
    assert link == "shop://item/a%2Fb%26c?c=%EB%B4%84"
    assert filled_in(landing.universal_links["brand"], {"brand": "{item_id}"}) == (
        "https://shop.example/b/%7Bitem_id%7D"
    )


@pytest.mark.parametrize(
    ("section", "part"),
    [
        ({"colors": {"text": "#cccccc"}}, "contrast of at least 4.5 on page"),
        ({"colors": {"paper": "#ffffff"}}, "did you mean page?"),
        ({"dark_colors": {"text": "#333333"}}, "WCAG"),
        ({"dark_colors": {"page": "black"}}, "a colour"),
        ({"dark_mode": "sometimes"}, "auto, always, never"),
        ({"font": "Arial;}body{display:none"}, "names of fonts"),
        ({"font": "url(https://x/y)"}, "names of fonts"),
        ({"logo_url": "javascript:alert(1)"}, "http"),
        ({"shop_url": "shop.example"}, "http"),
        ({"image_url": "https://cdn.example/{width}"}, "{image_url}"),
        ({"image_url": "{image_url}"}, "{width}"),
        ({"image_url": "shop://{image_url}/{width}"}, "https"),
        ({"deep_links": {"item": "shop://item"}}, "{item_id}"),
        ({"deep_links": {"item": "shop://{item_id}/{customer}"}}, "no other places"),
        ({"deep_links": {"item": "shop://{item_id"}}, "no other places"),
        ({"deep_links": {"item": "javascript:alert('{item_id}')"}}, "without spaces, quotes"),
        ({"deep_links": {"item": "javascript:{item_id}"}}, "an app's scheme"),
        ({"deep_links": {"item": "data:text/html,{item_id}"}}, "an app's scheme"),
        ({"deep_links": {"item": "http://shop.example/{item_id}"}}, "an app's scheme or https"),
        ({"deep_links": {"item": "//shop.example/{item_id}"}}, "an app's scheme"),
        ({"deep_links": {"item": "{item_id}"}}, "an app's scheme"),
        ({"deep_links": {"items": "shop://{item_id}"}}, "did you mean item?"),
        ({"universal_links": {"item": "shop://item/{item_id}"}}, "https://"),
    ],
)
def test_bad_input_is_named_with_what_is_expected(section, part):
    with pytest.raises(ValidationError) as error:
        load(**section)
    (key,) = error.value.messages
    assert key == next(iter(section))
    assert part in str(error.value.messages)
