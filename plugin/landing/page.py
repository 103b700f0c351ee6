"""From an answer to what the landing page shows: sections of cards, and all words around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, repeat
from urllib.parse import urlencode

from babel.dates import format_date

from plugin.landing import theme
from plugin.landing.cards import Card, apart, card, leaf, tidy
from plugin.landing.messages import LANGUAGES, MESSAGES
from plugin.landing.theme import Theme
from settings.workspace import WorkspaceSettings

TOP_PICKS = 5  # one large and four around it, without a hole on any width
_CHIPS = 6
_SECTION_MIN = 2


@dataclass(frozen=True)
class Section:
    """``kind``: top (one large card), row (scrolls sideways on a phone) or grid."""

    title: str
    cards: tuple[Card, ...]
    anchor: str
    kind: str


@dataclass(frozen=True)
class Page:
    """Everything that the template needs."""

    language: str
    languages: Mapping[str, str]
    words: Mapping[str, str]
    title: str
    intro: str
    personal: bool
    sections: tuple[Section, ...]
    brands: tuple[str, ...]
    updated: str | None
    theme: Theme


@dataclass(frozen=True)
class Content:
    """What the page is made of: items as in a content answer, best first. ``followed``: where the
    links of items lead, with the item added to its query; None: to the items' own addresses."""

    items: Sequence[Mapping[str, object]]
    categories: Sequence[str]  # the customer's, best first; empty for nobody in particular
    brands: Sequence[str]
    personal: bool
    updated_at: datetime | None
    reasons: Sequence[Sequence[str]] = ()  # codes of scoring.reasons.reason, by item
    followed: str | None = None


def make(content: Content, workspace: WorkspaceSettings, language: str) -> Page:
    """Lay out the page in one of messages.LANGUAGES."""
    words = MESSAGES[language]
    titles = workspace.landing.title
    own = titles.get(language) or titles.get("en") or next(iter(titles.values()), "")
    sections = _sections(content, workspace, language)
    return Page(
        language=language,
        languages=LANGUAGES,
        words=words,
        title=own if content.personal and own else words["popular_title"],
        intro=words["personal_intro" if content.personal else "popular_intro"],
        personal=content.personal,
        sections=_followed(sections, content.followed),
        brands=tuple(tidy(brand) for brand in content.brands[:_CHIPS]),
        updated=_updated(content.updated_at, language),
        theme=theme.of(workspace.landing),
    )


def _sections(content: Content, workspace: WorkspaceSettings, language: str) -> list[Section]:
    words = MESSAGES[language]
    cards = [
        card(item, workspace, language, codes)
        for item, codes in zip(content.items, chain(content.reasons, repeat(())), strict=False)
    ]
    if not cards:
        return []
    first = words["top_picks" if content.personal else "best_sellers"]
    sections = [Section(first, apart(cards[:TOP_PICKS]), "top", "top")]
    rest: dict[str, list[Card]] = {}
    for item, shown in zip(content.items[TOP_PICKS:], cards[TOP_PICKS:], strict=True):
        rest.setdefault(str(item.get("category") or ""), []).append(shown)
    order = {category: rank for rank, category in enumerate(content.categories)}
    loose: list[Card] = []
    for category in sorted(rest, key=lambda name: order.get(name, len(order))):
        if category and len(rest[category]) >= _SECTION_MIN:
            anchor = f"s{len(sections)}"
            sections.append(Section(leaf(category), apart(rest[category]), anchor, "row"))
        else:
            loose.extend(rest[category])
    if loose:
        more = words["more" if content.personal else "more_popular"]
        sections.append(Section(more, apart(loose), "more", "grid"))
    return sections


def _followed(sections: Sequence[Section], through: str | None) -> tuple[Section, ...]:
    """The same with links that tell us which was followed, and where on the page it stood."""
    if through is None:
        return tuple(sections)
    found, position = [], 1
    for section in sections:
        places = enumerate(section.cards, position)
        cards = tuple(_through(through, each, place) for place, each in places)
        found.append(replace(section, cards=cards))
        position += len(cards)
    return tuple(found)


def _through(through: str, shown: Card, position: int) -> Card:
    if shown.url is None:
        return shown
    query = urlencode({"item": shown.item_id, "position": position}, errors="replace")
    return replace(shown, url=f"{through}&{query}")


def _updated(at: datetime | None, language: str) -> str | None:
    if at is None:
        return None
    date = format_date(at.date(), format="medium", locale=language)
    return MESSAGES[language]["updated"].format(date=date)
