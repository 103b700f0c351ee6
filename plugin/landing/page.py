"""From an answer to what the landing page shows: sections, cards, prices, placeholders."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import UnknownCurrencyError, format_currency

from plugin.landing.messages import LANGUAGES, MESSAGES, WHY
from settings.workspace import WorkspaceSettings

TOP_PICKS = 5  # one large and four around it, without a hole on any width
_CHIPS = 6
_SECTION_MIN = 2
_DEFAULT_ACCENT = "#0b5cd5"
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_CSS = (Path(__file__).parent / "templates" / "landing.css").read_text(encoding="utf-8")
_TONES = 8  # the style sheet's placeholder colours
_SHAPES = 4  # the template's placeholder drawings


@dataclass(frozen=True)
class Card:
    """One product as it is shown. ``url`` and ``image_url`` are http(s) or None."""

    name: str
    brand: str
    price: str
    why: str
    url: str | None
    image_url: str | None
    initial: str
    tone: int
    shape: int


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
    style: str

    @property
    def style_hash(self) -> str:
        """The CSP source expression that allows this page's style sheet and no other."""
        digest = hashlib.sha256(self.style.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


@dataclass(frozen=True)
class Content:
    """What the page is made of: items as in a content answer, best first."""

    items: Sequence[Mapping[str, object]]
    categories: Sequence[str]  # the customer's, best first; empty for nobody in particular
    brands: Sequence[str]
    personal: bool
    updated_at: datetime | None
    reasons: Sequence[Sequence[str]] = ()  # codes of scoring.reasons.reason, by item


def make(content: Content, workspace: WorkspaceSettings, language: str) -> Page:
    """Lay out the page in one of messages.LANGUAGES."""
    words = MESSAGES[language]
    titles = workspace.landing.title
    own = titles.get(language) or titles.get("en") or next(iter(titles.values()), "")
    return Page(
        language=language,
        languages=LANGUAGES,
        words=words,
        title=own if content.personal and own else words["popular_title"],
        intro=words["personal_intro" if content.personal else "popular_intro"],
        personal=content.personal,
        sections=tuple(_sections(content, workspace, language)),
        brands=tuple(tidy(brand) for brand in content.brands[:_CHIPS]),
        updated=_updated(content.updated_at, language),
        style=_style(workspace.landing.accent_color),
    )


def _sections(content: Content, workspace: WorkspaceSettings, language: str) -> list[Section]:
    words = MESSAGES[language]
    whys = (_why(codes, language) for codes in (*content.reasons, *repeat((), len(content.items))))
    cards = [
        replace(_card(item, workspace, language), why=why)
        for item, why in zip(content.items, whys, strict=False)
    ]
    if not cards:
        return []
    first = words["top_picks" if content.personal else "best_sellers"]
    sections = [Section(first, _apart(cards[:TOP_PICKS]), "top", "top")]
    rest: dict[str, list[Card]] = {}
    for item, card in zip(content.items[TOP_PICKS:], cards[TOP_PICKS:], strict=True):
        rest.setdefault(str(item.get("category") or ""), []).append(card)
    order = {category: rank for rank, category in enumerate(content.categories)}
    loose: list[Card] = []
    for category in sorted(rest, key=lambda name: order.get(name, len(order))):
        if category and len(rest[category]) >= _SECTION_MIN:
            anchor = f"s{len(sections)}"
            sections.append(Section(leaf(category), _apart(rest[category]), anchor, "row"))
        else:
            loose.extend(rest[category])
    if loose:
        more = words["more" if content.personal else "more_popular"]
        sections.append(Section(more, _apart(loose), "more", "grid"))
    return sections


def _card(item: Mapping[str, object], workspace: WorkspaceSettings, language: str) -> Card:
    name = tidy(str(item.get("name") or item.get("id") or ""))
    spot = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=2).digest()
    price = item.get("price")
    return Card(
        name=name,
        brand=tidy(str(item.get("brand") or "")),
        price=money(price, workspace.currency, language) if isinstance(price, int | float) else "",
        why="",
        url=web_address(item.get("url")),
        image_url=web_address(item.get("image_url")),
        initial=next((sign.upper() for sign in name if sign.isalnum()), "·"),
        tone=spot[0] % _TONES,
        shape=spot[1] % _SHAPES,
    )


def _why(codes: Sequence[str], language: str) -> str:
    """The strongest reason, said to the customer: without numbers, as links are passed on."""
    return WHY[language].get(codes[0], "") if codes else ""


def _apart(cards: list[Card]) -> tuple[Card, ...]:
    """The same cards; none has the colour of the two before it, which are its neighbours."""
    found: list[Card] = []
    for card in cards:
        near = {other.tone for other in found[-2:]}
        free = (tone % _TONES for tone in range(card.tone, card.tone + _TONES))
        found.append(replace(card, tone=next(tone for tone in free if tone not in near)))
    return tuple(found)


def web_address(url: object) -> str | None:
    """The address if it is one that a page may link to: absolute http or https."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def money(amount: float, currency: str, language: str) -> str:
    """An amount as people of this language write it."""
    try:
        return format_currency(amount, currency, locale=language)
    except (UnknownCurrencyError, ValueError):
        return f"{amount:,.2f} {currency}"


def leaf(category: str) -> str:
    """The last level of a category path, fit to be read."""
    return tidy(category.rsplit(" > ", 1)[-1], shortest=3)


def tidy(text: str, *, shortest: int = 5) -> str:
    """Catalogues that shout are read in sentence case; anything else stays as it is, as do texts
    under ``shortest`` characters: they may be abbreviations."""
    text = " ".join(text.split())
    return text.capitalize() if text.isupper() and len(text) >= shortest else text


def _updated(at: datetime | None, language: str) -> str | None:
    if at is None:
        return None
    date = format_date(at.date(), format="medium", locale=language)
    return MESSAGES[language]["updated"].format(date=date)


def _style(accent: str) -> str:
    color = accent if _COLOR.fullmatch(accent) else _DEFAULT_ACCENT
    return f":root{{--accent:{color}}}\n{_CSS}"
