"""What an item is: what reads alike lies close, in any language; nothing said, nothing known."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring import item_text
from scoring.item_text import ItemFacts, centres, kinds, named_kinds, ngrams, vectors, words

ENGLISH = [
    "Strawberry milk 200 ml", "Chocolate milk 200 ml", "Whole milk 1 l",
    "Running shoes men", "Trail running shoe", "Leather shoes women",
    "Garden hose 20 m", "Hose connector for the garden",
]  # fmt: skip
KOREAN = [
    "딸기우유 200ml", "초코 우유 200ml", "흰우유 1리터",
    "남성 러닝화", "트레일 러닝화", "여성 가죽 구두",
    "정원용 호스 20m", "정원 호스 연결구",
]  # fmt: skip
JAPANESE = ["いちご牛乳", "低脂肪牛乳", "ランニングシューズ", "革のシューズ"]
MILK, SHOES, HOSES = (0, 1, 2), (3, 4), (6, 7)


def facts(
    text: Sequence[str],
    brand: Sequence[str | None] | None = None,
    category: Sequence[str | None] | None = None,
    price: Sequence[float] | None = None,
) -> ItemFacts:
    nothing: list[str | None] = [None] * len(text)
    prices = np.full(len(text), np.nan) if price is None else np.array(price)
    return ItemFacts(text, brand or nothing, category or nothing, prices.astype(np.float32))


def likeness(given: ItemFacts) -> NDArray[np.float32]:
    found = vectors(given)
    return found @ found.T


@pytest.mark.parametrize("texts", [ENGLISH, KOREAN], ids=["English", "Korean"])
@pytest.mark.parametrize("group", [MILK, SHOES, HOSES])
def test_items_of_one_kind_are_nearer_than_others(texts: list[str], group: tuple[int, ...]) -> None:
    like = likeness(facts(texts))
    others = [n for n in range(len(texts)) if n not in group]
    if group == SHOES:
        others.remove(5)  # shoes too
    for one in group:
        within = min(like[one, other] for other in group if other != one)
        assert within > max(like[one, other] for other in others)


def test_a_language_without_blanks_is_compared_by_its_signs() -> None:
    like = likeness(facts(JAPANESE))
    assert like[0, 1] > max(like[0, 2], like[0, 3])
    assert like[2, 3] > max(like[2, 0], like[2, 1])


def test_korean_words_share_syllables_and_english_ones_letters() -> None:
    assert set(ngrams("우유")) == {"우", "유", " 우", "우유", "유 ", " 우유", "우유 "}
    assert {"mi", "milk", " mi", "lk "} <= set(ngrams("milk"))
    assert all(part.strip() for part in ngrams("유") + ngrams("a"))


@given(st.text(max_size=40))
def test_case_width_and_composition_of_signs_make_no_difference(text: str) -> None:
    assert words(unicodedata.normalize("NFD", text)) == words(unicodedata.normalize("NFC", text))
    assert words("ＭＩＬＫ 우유") == words("milk 우유")


def test_brand_and_category_make_alike_what_texts_tell_apart() -> None:
    texts = ["alpha", "beta", "gamma", "delta"]
    assert likeness(facts(texts))[0, 1] < 0.1
    by_brand = likeness(facts(texts, brand=["x", "x", "y", None]))
    assert by_brand[0, 1] > 0.1 > abs(by_brand[0, 2])


def test_the_parts_of_a_category_path_count_for_themselves() -> None:
    paths = ["Food > Cheese", "Food > Bread", "Toys > Cars", "Toys"]
    like = likeness(facts([""] * 4, category=paths))
    assert like[0, 1] > 0.1 > abs(like[0, 2])


def test_prices_of_one_size_are_alike() -> None:
    like = likeness(facts([""] * 3, price=[10.0, 10.5, 900.0]))
    assert like[0, 1] == pytest.approx(1, abs=1e-5)
    assert like[0, 2] == pytest.approx(0, abs=1e-5)


def test_the_same_catalogue_gives_the_same_bytes() -> None:
    one, two = (vectors(facts(ENGLISH + KOREAN, price=range(16))) for _ in range(2))
    assert one.dtype == np.float32
    assert one.tobytes() == two.tobytes()
    assert centres(one).tobytes() == centres(two).tobytes()
    assert kinds(one).tobytes() == kinds(two).tobytes()


def test_every_vector_has_length_one() -> None:
    found = vectors(facts(ENGLISH))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_many_items_have_a_few_hundred_centres() -> None:
    random = np.random.default_rng(1)
    texts = [f"{'abcdefghij'[a] * 3} {'klmnopqrst'[b] * 3} {n}" for n, (a, b) in
             enumerate(random.integers(0, 10, (3000, 2)))]  # fmt: skip
    found = vectors(facts(texts))
    middles = centres(found)
    assert found.shape == (3000, item_text.DIMENSIONS)
    assert 0.5 * item_text.CENTRES < len(middles) <= item_text.CENTRES
    assert np.median((found @ middles.T).max(axis=1)) > 0.7


def test_few_items_are_centres_themselves() -> None:
    found = vectors(facts(["tea", "tea", "", "rice"]))
    assert len(centres(found)) == 2
    np.testing.assert_allclose((found @ centres(found).T).max(axis=1), [1, 1, 0, 1], atol=1e-5)


def test_what_reads_the_same_is_of_one_kind() -> None:
    found = kinds(vectors(facts(["tea", "Tea!", "rice", "", "TEA", "rice"])))
    assert found[0] == found[1] == found[4] != found[2] == found[5]
    assert found[3] == -1


def test_names_that_differ_in_quantities_only_are_of_one_kind() -> None:
    names = [
        "Oat Milk 1 l",
        "oat milk 500ml",
        "OAT MILK",
        "우유 1리터",
        "우유 (500ml) 10개입",
        "rye",
    ]
    category = np.array([0, 1, -1, -1, -1, 1], dtype=np.int32)
    kind = named_kinds(names, category).tolist()
    assert kind[0] == kind[1] == kind[2] != kind[3] == kind[4] >= 0
    assert kind[5] not in kind[:5]


def test_a_name_that_is_alone_is_of_the_kind_of_its_category() -> None:
    found = named_kinds(["rye", "wheat", "oat", "7"], np.array([3, 3, 4, -1], dtype=np.int32))
    assert found[0] == found[1] != found[2]
    assert found[3] == -1


def test_bad_input_without_names_and_categories_there_are_no_kinds() -> None:
    none = np.full(3, -1, dtype=np.int32)
    assert named_kinds([None, "", "12 x 3"], none).tolist() == [-1, -1, -1]
    assert named_kinds([], none[:0]).dtype == np.int32


def test_bad_input_an_item_of_which_nothing_is_known_has_no_direction() -> None:
    found = vectors(facts(["", "milk", "!?  —"]))
    assert not found[[0, 2]].any()
    assert found[1].any()


@pytest.mark.parametrize("texts", [[], ["", ""], ["…"]])
def test_bad_input_a_catalogue_that_says_nothing_has_no_content(texts: list[str]) -> None:
    found = vectors(facts(texts))
    assert found.shape == (len(texts), 0)
    assert centres(found).size == 0


@pytest.mark.parametrize("price", [np.nan, 0.0, -3.0])
def test_bad_input_a_price_that_is_none_says_nothing(price: float) -> None:
    one, two = (vectors(facts(["tea", "milk"], price=[p, 2.0])) for p in (price, np.nan))
    np.testing.assert_array_equal(one, two)


def test_bad_input_a_single_item_is_described() -> None:
    np.testing.assert_allclose(vectors(facts(["tea"])), [[1.0]], rtol=1e-5)


def test_bad_input_a_book_is_read_at_its_beginning_only() -> None:
    assert len(words("tea " * 100_000)) == item_text.TEXT_WORDS
