"""People are taken for people, and programs for programs."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from plugin.landing.robots import judged, sign_of
from scoring.store.taps import NotedTap
from tests.plugin.landing.browsers import CHROME, PEOPLE, PROGRAM_NAMES

PAGE = b"page"
TEN = 36_000_000  # ms


def sign(headers, method="GET", *, secure=True):
    return sign_of(method, Headers(headers), secure=secure)


@pytest.mark.parametrize("headers", PEOPLE.values(), ids=PEOPLE)
def test_what_people_use_is_taken_for_a_person(headers):
    assert sign(headers) is None


def test_without_https_no_browser_says_what_a_request_is_for():
    old = {name: value for name, value in CHROME.items() if not name.startswith("Sec-")}
    assert sign(old, secure=False) is None
    assert sign(old, secure=True) == "headers"


@pytest.mark.parametrize("name", PROGRAM_NAMES)
def test_programs_that_say_so_are_programs(name):
    assert sign(CHROME | {"User-Agent": name}) == "user_agent"


def test_a_mail_gateway_that_only_looks_is_no_person():
    assert sign(CHROME, "HEAD") == "head"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ],
)
def test_what_a_browser_loads_in_advance_is_not_opened_yet(name, value):
    assert sign(CHROME | {name: value}) == "prefetch"


@pytest.mark.parametrize(
    "change",
    [
        {"Accept-Language": ""},
        {"Accept": "*/*"},
        {"Accept": ""},
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": "empty"},
    ],
)
def test_who_imitates_a_browser_badly_is_no_person(change):
    assert sign(CHROME | change) == "headers"


def taps(*seen: tuple[str, int]) -> list[NotedTap]:
    return sorted((NotedTap(PAGE, item, TEN + ms) for item, ms in seen), key=lambda tap: tap.at_ms)


def test_a_person_opens_the_page_and_follows_one_link_after_another():
    noted = taps(("", 0), ("tea", 2000), ("milk", 9000), ("tea", 9600 + 4000))
    assert [judged(tap.item, tap.at_ms, noted) for tap in noted] == [None] * 4


def test_the_same_link_tapped_twice_at_once_is_an_impatient_person():
    noted = taps(("", 0), ("tea", 2000), ("tea", 2200))
    assert [judged(tap.item, tap.at_ms, noted) for tap in noted] == [None] * 3


def test_several_links_within_a_second_are_a_scanner_and_so_is_its_open():
    noted = taps(("", 0), ("tea", 900), ("milk", 1400), ("rice", 2300))
    assert [judged(tap.item, tap.at_ms, noted) for tap in noted] == ["burst"] * 4


def test_a_scanner_long_ago_does_not_make_a_scanner_of_the_person():
    noted = taps(("", 0), ("tea", 100), ("milk", 150), ("", 600_000), ("tea", 605_000))
    judgements = [judged(tap.item, tap.at_ms, noted) for tap in noted]
    assert judgements == ["burst"] * 3 + [None] * 2


@pytest.mark.parametrize("noted", [taps(("tea", 0)), taps(("tea", 0), ("", 50))])
def test_a_link_of_a_page_that_was_never_opened_was_followed_out_of_the_mail(noted):
    assert judged("tea", TEN, noted) == "no_open"


def test_a_link_followed_before_a_hand_can_move_was_not_tapped():
    noted = taps(("", 0), ("tea", 300))
    assert judged("tea", TEN + 300, noted) == "too_soon"
    assert judged("", TEN, noted) is None
