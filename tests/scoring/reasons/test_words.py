"""Reasons as a marketer reads them."""

from __future__ import annotations

import re
import string

import pytest

from scoring.reasons.reason import CODES, PARAMETERS, Reason, ReasonError
from scoring.reasons.words import ABOUT, LANGUAGES, sentence, told

EXAMPLES = [
    (Reason("bought", (5, 12)), "Bought it on 5 days, last 12 days ago",
     "이 상품 구매일수 5일, 마지막 구매 12일 전"),
    (Reason("bought", (1, 0)), "Bought it once, in the last 24 hours",
     "이 상품 1회 구매, 24시간 이내"),
    (Reason("bought", (9, 0)), "Bought it on 9 days, again in the last 24 hours",
     "이 상품 구매일수 9일, 마지막 구매 24시간 이내"),
    (Reason("due", (14,)), "Due again: usually every 14 days", "재구매 시기: 보통 14일 간격"),
    (Reason("due", (1,)), "Due again: usually every day", "재구매 시기: 보통 1일 간격"),
    (Reason("interest", (3, 1)), "Showed interest in it on 3 days, last 1 day ago",
     "이 상품에 관심을 보인 날 3일, 마지막 1일 전"),
    (Reason("clicked", (1, 2)), "Clicked on it in a message 2 days ago",
     "2일 전 메시지에서 이 상품 클릭"),
    (Reason("similar_customers"), "Customers like this one buy it", "비슷한 고객들도 이 상품 구매"),
    (Reason("best_seller", (124,)), "A best seller now: 12% of customers bought it in 4 weeks",
     "지금 베스트셀러: 최근 4주간 고객의 12% 구매"),
    (Reason("best_seller", (3,)), "A best seller now", "지금 베스트셀러"),
    (Reason("bought_again", (618,)), "62% of its buyers bought it again", "구매 고객의 62% 재구매"),
    (Reason("kind", (1, 4)), "Bought a product of this kind once, 4 days ago",
     "같은 종류 상품 1회 구매, 4일 전"),
    (Reason("shops", (41, 2)), "Shopped here on 41 days, last 2 days ago",
     "쇼핑한 날 41일, 마지막 쇼핑 2일 전"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "english", "korean"), EXAMPLES)
def test_a_reason_reads_well(reason: Reason, english: str, korean: str) -> None:
    assert sentence(reason, "en") == english
    assert sentence(reason, "ko") == korean


@pytest.mark.parametrize(
    ("about", "english", "korean"),
    [
        ("brand", "Bought this brand once, 3 days ago", "이 브랜드 1회 구매, 3일 전"),
        ("category", "Bought this category once, 3 days ago", "이 카테고리 1회 구매, 3일 전"),
        ("group", "Bought one of these products once, 3 days ago",
         "이 상품들 중 하나 1회 구매, 3일 전"),
        ("any", "Bought something here once, 3 days ago", "상품 1회 구매, 3일 전"),
    ],
)  # fmt: skip
def test_it_is_called_what_it_is(about: str, english: str, korean: str) -> None:
    assert sentence(Reason("bought", (1, 3)), "en", about) == english
    assert sentence(Reason("bought", (1, 3)), "ko", about) == korean


def test_several_reasons_are_one_text() -> None:
    both = (Reason("due", (7,)), Reason("similar_customers"))
    assert told(both, "en", "brand") == (
        "Due again: usually every 7 days; Customers like this one buy this brand"
    )
    assert told((), "en") == ""


@pytest.mark.parametrize("language", ["ko-KR", "ko_KR", "KO"])
def test_a_regional_locale_reads_its_language(language: str) -> None:
    assert sentence(Reason("due", (7,)), language) == "재구매 시기: 보통 7일 간격"


def test_every_language_has_every_text_with_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english = LANGUAGES["en"]
    for name, texts in LANGUAGES.items():
        assert texts.keys() == english.keys(), name
        for key, text in texts.items():
            assert values(text) - {"it"} == values(english[key]) - {"it"}, (name, key)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", ABOUT)
def test_every_reason_has_words_that_hold_its_numbers(language: str, about: str) -> None:
    for code in CODES:
        for number in (0, 1, 2, 40):
            reason = Reason(code, (number,) * len(PARAMETERS[code]))
            text = sentence(reason, language, about)
            assert text and not re.search(r"[{}]", text)
            if number == 40 and "share_permille" not in PARAMETERS[code]:
                assert text.count("40") == len(PARAMETERS[code])


def test_bad_input_a_language_without_words_reads_english() -> None:
    assert (
        sentence(Reason("price"), "fr") == "Costs what this customer usually pays for such products"
    )


def test_bad_input_an_unknown_subject_is_named() -> None:
    with pytest.raises(ValueError, match="not 'shop'"):
        sentence(Reason("price"), "en", "shop")


@pytest.mark.parametrize("reason", [Reason("magic"), Reason("bought", (3,))])
def test_bad_input_an_impossible_reason_has_no_words(reason: Reason) -> None:
    with pytest.raises(ReasonError):
        sentence(reason, "en")
