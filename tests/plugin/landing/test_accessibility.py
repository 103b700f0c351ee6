"""The basics of WCAG 2.2, without a browser; `python -m benchmarks.landing` asks a real one."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from plugin.landing import theme
from settings.colors import READABLE, VISIBLE, contrast
from settings.workspace import LandingSettings
from tests.plugin.landing.markup import Markup
from tests.plugin.landing.test_routes import token

ACCENTS = ["#0b5cd5", "#ffff00", "#ffffff", "#000000", "#d5380b", "#7fffd4", "#888"]


@pytest.fixture(params=["en", "ko"])
def language(request):
    return request.param


@pytest.fixture(params=["personal", "popular", "empty"])
def markup(request, client, language, redis_client):
    """The page in each language, for a customer, for nobody in particular, and without items."""
    if request.param != "empty":
        request.getfixturevalue("published")
    link = token() if request.param == "personal" else "-"
    return Markup(client.get(f"/l/{link}?lang={language}").get_data(as_text=True))


def test_the_markup_is_whole(markup):
    assert markup.problems == []


def test_the_page_says_its_language_and_has_a_title(markup, language):
    assert markup.one("html").attributes["lang"] == language
    assert markup.one("title").text.strip()


def test_zooming_is_not_forbidden(markup):
    viewport = next(e for e in markup.all("meta") if e.attributes.get("name") == "viewport")
    assert "width=device-width" in viewport.attributes["content"]
    assert not re.search(r"user-scalable|maximum-scale", viewport.attributes["content"])


def test_headings_go_down_step_by_step_from_a_single_first_one(markup):
    levels = [int(each.tag[1]) for each in markup.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_there_is_one_main_landmark_and_the_skip_link_leads_there(markup):
    main = markup.one("main")
    skip = markup.all("a")[0]
    assert skip.attributes["href"] == f"#{main.attributes['id']}"


def test_every_id_is_there_once_and_every_reference_leads_to_one(markup):
    ids = [each.attributes["id"] for each in markup.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    named = {each.attributes.get("aria-labelledby") for each in markup.elements} - {None}
    anchors = {
        each.attributes["href"][1:]
        for each in markup.all("a")
        if each.attributes["href"].startswith("#")
    }
    assert named | anchors <= set(ids)


def test_every_link_has_words_and_every_picture_a_description_or_none_on_purpose(markup):
    for link in markup.all("a"):
        assert link.text.strip() or link.attributes.get("aria-label"), link
    assert all("alt" in each.attributes for each in markup.all("img"))
    assert all(each.attributes.get("aria-hidden") == "true" for each in markup.all("svg"))


def test_several_navigations_have_names_of_their_own(markup):
    names = [each.attributes.get("aria-label") for each in markup.all("nav")]
    assert all(names)
    assert len(names) == len(set(names))


def test_lists_hold_list_items_only(markup):
    for each in markup.all("ul"):
        assert {inner.tag for inner in each.inner} <= {"li"}


def test_words_of_another_language_say_so(markup, language):
    other = [e for e in markup.all("a") if e.attributes.get("hreflang") not in (None, language)]
    assert other
    assert all(each.attributes["lang"] == each.attributes["hreflang"] for each in other)


def test_pictures_below_the_first_load_when_they_are_wanted_and_move_nothing(client, published):
    pictures = Markup(client.get(f"/l/{token()}").get_data(as_text=True)).all("img")
    first, *others = pictures
    assert first.attributes["fetchpriority"] == "high"
    assert "loading" not in first.attributes
    assert {each.attributes["loading"] for each in others} == {"lazy"}
    assert all(each.attributes["width"] and each.attributes["height"] for each in pictures)
    assert {each.attributes["referrerpolicy"] for each in pictures} == {"no-referrer"}


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("dark_mode", ["never", "always"])
def test_text_and_marks_are_seen_in_any_accent_by_day_and_night(accent, dark_mode):
    landing = replace(LandingSettings(), accent_color=accent, dark_mode=dark_mode)
    style = theme.of(landing).style
    color = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", style.partition("\n")[0]))
    for text, grounds in {
        "text": ("page", "card", "tint"),
        "quiet": ("page", "card", "tint"),
        "link": ("card", "tint"),
        "on-accent": ("accent",),
        "page": ("text",),
    }.items():
        assert all(contrast(color[text], color[ground]) >= READABLE for ground in grounds), text
    assert contrast(color["mark"], color["page"]) >= VISIBLE
    assert contrast(color["mark"], color["card"]) >= VISIBLE
