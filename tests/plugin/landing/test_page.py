"""How items become cards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin.content.money import money
from plugin.landing.cards import leaf, tidy, web_address
from plugin.landing.messages import LANGUAGES, MESSAGES, WHY
from plugin.landing.page import Content, make
from scoring.reasons.groups import OF_THE_CUSTOMER
from scoring.reasons.reason import CODES
from settings.workspace import LandingSettings, WorkspaceSettings


def workspace(**changes) -> WorkspaceSettings:
    return WorkspaceSettings(workspace="shop", file=Path("x"), sources=(), **changes)


def item(**changes):
    return {
        "id": "1", "name": "Tea", "brand": "B", "category": "Drinks > Tea", "price": 2.5,
        "image_url": None, "url": "https://shop.example/1",
    } | changes  # fmt: skip


def page(*items, language="en", personal=True, categories=(), **changes):
    content = Content(items, categories, ("B",), personal, datetime(2017, 12, 4, tzinfo=UTC))
    return make(content, workspace(**changes), language)


def test_every_language_has_every_word():
    assert set(MESSAGES) == set(LANGUAGES)
    assert len({frozenset(words) for words in MESSAGES.values()}) == 1


def test_every_language_says_every_reason_that_an_item_can_have():
    about_items = set(CODES) - OF_THE_CUSTOMER
    assert {language: set(words) for language, words in WHY.items()} == dict.fromkeys(
        LANGUAGES, about_items
    )


def test_a_card_says_the_strongest_reason():
    content = Content([item(), item(), item()], (), (), True, None, [["due", "price"], [], []])
    cards = make(content, workspace(), "en").sections[0].cards
    assert [card.why for card in cards] == ["Time for it again?", "", ""]


def test_bad_input_a_reason_without_words_is_not_said():
    content = Content([item()], (), (), True, None, [["unheard-of"]])
    assert make(content, workspace(), "en").sections[0].cards[0].why == ""


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (2.5, "USD", "en", "$2.50"),
        (12900, "KRW", "ko", "₩12,900"),
        (1234.5, "EUR", "en", "€1,234.50"),
        (1.0, "nonsense", "en", "nonsense1.00"),
    ],
)
def test_prices_are_written_as_people_write_them(amount, currency, language, expected):
    assert money(amount, currency, language) == expected


def test_shouting_names_are_calmed_and_others_kept():
    assert tidy("FLUID MILK  WHITE ONLY") == "Fluid milk white only"
    assert (tidy("iPhone 17"), tidy("LEGO")) == ("iPhone 17", "LEGO")
    assert leaf("GROCERY > CHEESE") == "Cheese"
    assert tidy("콜드브루 커피 1L") == "콜드브루 커피 1L"
    assert (leaf("MEAT > BEEF"), leaf("HOME > TV")) == ("Beef", "TV")


def test_a_single_item_of_a_category_goes_with_the_rest():
    items = [item(id=str(n), category=f"C{n % 2}" if n < 10 else "C9") for n in range(11)]
    titles = [section.title for section in page(*items, categories=("C1", "C0")).sections]
    assert titles == ["Your top picks", "C1", "C0", "More for you"]


def test_an_item_without_picture_has_a_drawing_that_stays_the_same():
    first, second = (page(item(name="éclair")).sections[0].cards[0] for _ in range(2))
    assert first == second
    assert first.initial == "É"
    assert page(item(name="!!!", id="?")).sections[0].cards[0].initial == "·"


def test_neighbours_never_have_the_same_colour():
    sections = page(*(item(name="Tea", category=None) for _ in range(20))).sections
    for section in sections:
        tones = [card.tone for card in section.cards]
        assert all(tone not in tones[max(at - 2, 0) : at] for at, tone in enumerate(tones))


def test_an_item_with_nothing_known_is_still_a_card():
    card = page(dict.fromkeys(item(), None) | {"id": "17"}).sections[0].cards[0]
    assert (card.name, card.price, card.url) == ("17", "", None)


def test_the_title_falls_back_to_english():
    landing = LandingSettings(title={"en": "Hello"})
    assert page(item(), language="ko", landing=landing).title == "Hello"
    assert page(item(), personal=False, landing=landing).title == "Popular right now"


def test_the_page_has_the_workspaces_colour():
    assert (
        "--accent:#ff0066"
        in page(item(), landing=LandingSettings(accent_color="#ff0066")).theme.style
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example/x", "/relative", "ftp://x/y",
        "http://", "https://[bad", "", None, 7, " javascript:alert(1)",
    ],
)  # fmt: skip
def test_bad_input_address_that_is_not_http_is_no_link(url):
    assert web_address(url) is None
    assert page(item(url=url, image_url=url)).sections[0].cards[0].url is None
