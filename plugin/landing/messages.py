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
        "empty": "Nothing to show yet.",
        "empty_hint": "New picks come every night. Please come back soon.",
        "to_the_shop": "Go to the shop",
        "shop": "Shop",
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
        "empty": "아직 보여 드릴 상품이 없습니다.",
        "empty_hint": "추천 상품은 매일 밤 새로워집니다. 곧 다시 방문해 주세요.",
        "to_the_shop": "쇼핑몰로 가기",
        "shop": "쇼핑몰",
        "skip": "상품으로 바로 가기",
        "view": "상품 보기",
        "language": "언어",
        "updated": "{date} 기준",
        "note": "가격과 재고는 변동될 수 있습니다.",
    },
}

# said to the customer; by code of scoring.reasons.reason, those about items
WHY: Mapping[str, Mapping[str, str]] = {
    "en": {
        "bought": "You bought it before",
        "due": "Time for it again?",
        "interest": "You showed interest in it",
        "clicked": "You showed interest in it",
        "brand": "You bought this brand before",
        "category": "You bought from this category before",
        "kind": "You bought products of this kind before",
        "similar_customers": "Customers like you buy it",
        "best_seller": "Best seller",
        "bought_again": "Often bought again",
        "price": "In your usual price range",
        "profile": "Customers like you buy it",
        "similar_products": "Similar to what you like",
        "cheaper": "Below your usual price",
    },
    "ko": {
        "bought": "전에 구매하신 상품",
        "due": "다시 구매하실 때가 되었나요?",
        "interest": "관심을 보이신 상품",
        "clicked": "관심을 보이신 상품",
        "brand": "구매하신 브랜드의 상품",
        "category": "구매하신 카테고리의 상품",
        "kind": "전에 구매하신 것과 같은 종류의 상품",
        "similar_customers": "비슷한 고객님들이 구매한 상품",
        "best_seller": "베스트셀러",
        "bought_again": "재구매가 많은 상품",
        "price": "평소 구매하시는 가격대",
        "profile": "비슷한 고객님들이 구매한 상품",
        "similar_products": "좋아하시는 상품과 비슷한 상품",
        "cheaper": "평소 구매 가격대보다 저렴",
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
