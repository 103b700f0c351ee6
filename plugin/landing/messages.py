"""The landing page's own words in every language it speaks, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.datastructures import LanguageAccept

LANGUAGES: Mapping[str, str] = {"en": "English", "ko": "한국어"}

MESSAGES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "popular_title": "Popular right now",
        "personal_intro": "What we think you will like today, best first.",
        "popular_intro": "What other customers love most at the moment.",
        "top_picks": "Your top picks",
        "best_sellers": "Best sellers",
        "your_categories": "Your categories",
        "your_brands": "Your brands",
        "categories": "Categories",
        "more": "More for you",
        "more_popular": "More favourites",
        "empty": "Nothing to show yet. Please come back soon.",
        "skip": "Skip to the products",
        "view": "View product",
        "language": "Language",
        "updated": "Updated {date}",
        "note": "Prices and availability may change.",
    },
    "ko": {
        "popular_title": "지금 인기 있는 상품",
        "personal_intro": "고객님께서 좋아하실 상품을 순서대로 골랐습니다.",
        "popular_intro": "지금 다른 고객님들이 가장 많이 찾는 상품입니다.",
        "top_picks": "가장 추천하는 상품",
        "best_sellers": "베스트셀러",
        "your_categories": "관심 카테고리",
        "your_brands": "관심 브랜드",
        "categories": "카테고리",
        "more": "더 많은 추천 상품",
        "more_popular": "더 많은 인기 상품",
        "empty": "아직 보여 드릴 상품이 없습니다. 곧 다시 방문해 주세요.",
        "skip": "상품으로 바로 가기",
        "view": "상품 보기",
        "language": "언어",
        "updated": "{date} 기준",
        "note": "가격과 재고는 변동될 수 있습니다.",
    },
}


def choose(asked: str | None, accepted: LanguageAccept, default: str) -> str:
    """The page's language: what the link asks for, else the browser's, else the workspace's."""
    if asked is not None and asked in LANGUAGES:
        return asked
    best = accepted.best_match(list(LANGUAGES))
    if best:
        return best
    return default if default in LANGUAGES else "en"
