"""The landing page, for the right customer and for everybody else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from plugin.landing.token import Landing, Links
from scoring.store.keys import customer_hash
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF

CUSTOMER = customer_hash(SECRET, WORKSPACE, "customer-001")


def token(customer: bytes = CUSTOMER, days: int = 30, workspace: str = WORKSPACE) -> str:
    expires_at = int((CUTOFF + timedelta(days=days)).timestamp())
    return Links(SECRET).write(Landing(workspace, "spring", customer, expires_at))


def names(response) -> list[str]:
    return re.findall(r">(Item \d\d)</a>", response.get_data(as_text=True))


def test_the_page_shows_the_customers_items(client, get, published):
    page = client.get(f"/l/{token()}")
    shown = get("/v1/content/for-you", customer="customer-001", limit=24).get_json()["items"]
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert set(names(page)) == {item["name"] for item in shown}
    assert names(page)[:5] == [item["name"] for item in shown][:5]
    assert "Picked for you" in page.get_data(as_text=True)


def test_the_link_of_an_answer_opens_the_page_of_its_customer(client, get, published):
    answer = get("/v1/content/for-you", customer="customer-002").get_json()
    page = client.get(answer["landing_url"].removeprefix("https://rightsend.example"))
    assert names(page)[0] == answer["items"][0]["name"]


def test_sections_come_in_the_order_of_the_customers_categories(client, get, published):
    order = get("/v1/landing/spring", customer="customer-001").get_json()["categories"]
    page = client.get(f"/l/{token()}").get_data(as_text=True)
    shown = re.findall(r"<h2 id=\"h-s\d\">(category-\d)</h2>", page)
    expected = [category.removeprefix("food > ") for category in order]
    assert shown == [category for category in expected if category in shown]
    assert shown


@pytest.mark.parametrize(
    ("language", "why"),
    [("en", ["You bought it before", "Best seller"]), ("ko", ["전에 구매하신 상품", "베스트셀러"])],
)
def test_the_page_says_why_in_its_own_words_and_without_numbers(client, published, language, why):
    page = client.get(f"/l/{token()}?lang={language}").get_data(as_text=True)
    assert re.findall(r'<span class="why">(.*?)</span>', page) == why


def test_nobody_in_particular_is_told_why(client, published):
    assert 'class="why"' not in client.get("/l/nonsense").get_data(as_text=True)


def test_the_json_says_why_in_the_language_asked_for(get, published):
    items = get("/v1/landing/spring", customer="customer-001", lang="ko").get_json()["items"]
    assert items[0]["reasons"][1] == "재구매 시기: 보통 14일 간격"


@pytest.mark.parametrize(
    ("link", "language", "expected"),
    [("", "", "en"), ("?lang=ko", "", "ko"), ("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
     ("?lang=en", "ko", "en"), ("?lang=tlh", "fr", "en")],
)  # fmt: skip
def test_the_page_speaks_the_customers_language(client, published, link, language, expected):
    page = client.get(f"/l/{token()}{link}", headers={"Accept-Language": language})
    text = page.get_data(as_text=True)
    assert f'<html lang="{expected}">' in text
    assert ("고객님을 위한 추천" in text) == (expected == "ko")
    assert page.headers["Content-Language"] == expected


def test_nothing_on_the_page_runs_or_is_loaded_from_elsewhere(client, published):
    page = client.get(f"/l/{token()}")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store, private"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_is_small(client, published):
    assert len(client.get(f"/l/{token()}").data) < 60_000


def test_without_the_store_the_page_shows_best_sellers(client, published, redis_client):
    redis_client.flushall()
    page = client.get(f"/l/{token()}")
    assert page.status_code == 200
    assert names(page)[0] == "Item 00"


def test_before_the_first_night_the_page_says_so(client):
    page = client.get(f"/l/{token()}")
    assert (page.status_code, names(page)) == (200, [])
    assert "Nothing to show yet" in page.get_data(as_text=True)


def test_the_app_gets_the_same_as_json(get, published):
    document = get("/v1/landing/spring", customer="customer-001", lang="ko").get_json()
    assert document["title"] == "고객님을 위한 추천"
    assert (document["campaign"], document["lang"]) == ("spring", "ko")
    assert len(document["items"]) == 24
    assert len(document["brands"]) == 5


FORGED = {
    "forged": "WyJzaG9wIiwic3ByaW5nIiwiQUFBQSIsOTk5OTk5OTk5OV0.c2lnbmF0dXJl",
    "foreign": Links(b"another installation").write(
        Landing(WORKSPACE, "spring", CUSTOMER, 9_999_999_999)
    ),
    "expired": token(days=-1),
    "unknown workspace": token(workspace="elsewhere"),
    "rubbish": "%00%ff'\"><script>alert(1)</script>",
    "huge": "A" * 4000,
}


@pytest.mark.parametrize("link", FORGED.values(), ids=FORGED)
def test_bad_input_link_that_is_not_good_shows_best_sellers(client, published, link):
    page = client.get(f"/l/{link}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "Popular right now" in text
    assert names(page)[:3] == ["Item 00", "Item 01", "Item 02"]
    assert "alert(1)" not in text


def test_bad_input_language_of_the_json_is_422(get, published):
    response = get("/v1/landing/spring", customer="customer-001", lang="tlh")
    assert response.status_code == 422


def test_bad_input_campaign_of_989_bytes_is_422(get, published):
    assert get(f"/v1/landing/{'x' * 989}").status_code == 422
