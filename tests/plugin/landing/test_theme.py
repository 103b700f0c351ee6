"""How a workspace makes the page its own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from plugin.landing import theme
from plugin.landing.cards import card
from settings.workspace import LandingSettings, WorkspaceSettings

LANDING = LandingSettings(shop_name="Corner", shop_url="https://shop.example/")
LOGO, NIGHT = "https://shop.example/logo.svg", "https://shop.example/logo-night.svg"


def of(**changes) -> theme.Theme:
    return theme.of(replace(LANDING, **changes))


def picture(template: str | None, image_url: str = "https://img.example/a,b.jpg") -> str:
    workspace = WorkspaceSettings(
        "shop", Path("x"), (), landing=LandingSettings(image_url=template)
    )
    return card({"id": "1", "image_url": image_url}, workspace, "en", ()).image_set


def test_dark_colours_are_there_by_the_devices_will_or_never_or_always():
    assert "prefers-color-scheme:dark" in of().style.partition("\n")[0]
    for mode, page in (("never", "#f6f5f2"), ("always", "#131316")):
        only = of(dark_mode=mode)
        assert "@media (prefers-color-scheme" not in only.style
        assert f"--page:{page};" in only.style
        assert only.schemes == (("all", page),)


def test_the_font_stands_before_the_devices_own():
    assert ':root{--font:"Nanum Gothic",system-ui' in of(font='"Nanum Gothic"').style


def test_a_logo_for_the_night_is_shown_at_night():
    both = {"logo_url": LOGO, "dark_logo_url": NIGHT}
    assert (of(**both).logo_url, of(**both).dark_logo_url) == (LOGO, NIGHT)
    assert (of(**both, dark_mode="always").logo_url) == NIGHT
    never = of(**both, dark_mode="never")
    assert (never.logo_url, never.dark_logo_url) == (LOGO, None)
    assert of(logo_url=LOGO, dark_mode="always").logo_url == LOGO


def test_two_looks_have_two_hashes_and_one_look_one():
    assert of().style_hash == of().style_hash != of(accent_color="#ff0066").style_hash


def test_pictures_come_in_the_width_that_a_phone_needs():
    small, *_, large = picture("{image_url}?w={width}").split(", ")
    assert small == "https://img.example/a%2Cb.jpg?w=200 200w"
    assert large == "https://img.example/a%2Cb.jpg?w=960 960w"
    assert picture("https://cdn.example/{width}/{image_url}").startswith(
        "https://cdn.example/200/https%3A%2F%2Fimg.example%2Fa%2Cb.jpg 200w, "
    )
    assert picture(None) == picture("{image_url}?w={width}", "no address") == ""


def test_the_style_sheet_needs_nothing_that_older_phones_lack():
    assert not re.search(r"color-mix|light-dark\(|oklch|@layer|@container", of().style)
