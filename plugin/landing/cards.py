"""One item as a card: its words calmed, its price as people write it, a drawing where it has no
picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from plugin.content.money import money
from plugin.landing.messages import WHY
from settings.templates import filled_in
from settings.workspace import WorkspaceSettings

WIDTHS = (200, 320, 480, 720, 960)  # pixels of resized pictures
_TONES = 8  # the style sheet's placeholder colours
_SHAPES = 4  # the template's placeholder drawings
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True)
class Card:
    """One product as it is shown. ``url`` and ``image_url`` are http(s) or None; ``image_set`` is
    an srcset, empty where pictures cannot be resized."""

    item_id: str
    name: str
    brand: str
    price: str
    why: str
    url: str | None
    image_url: str | None
    image_set: str
    initial: str
    tone: int
    shape: int


def card(
    item: Mapping[str, object], workspace: WorkspaceSettings, language: str, codes: Sequence[str]
) -> Card:
    """``item`` as in a content answer; ``codes``: the reasons for it, strongest first."""
    name = tidy(str(item.get("name") or item.get("id") or ""))
    spot = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=2).digest()
    price = item.get("price")
    picture = web_address(item.get("image_url"))
    return Card(
        item_id=str(item.get("id") or ""),
        name=name,
        brand=tidy(str(item.get("brand") or "")),
        price=money(price, workspace.currency, language) if isinstance(price, int | float) else "",
        why=WHY[language].get(codes[0], "") if codes else "",
        url=web_address(item.get("url")),
        image_url=picture,
        image_set=_image_set(workspace.landing.image_url, picture),
        initial=next((sign.upper() for sign in name if sign.isalnum()), "·"),
        tone=spot[0] % _TONES,
        shape=spot[1] % _SHAPES,
    )


def apart(cards: Sequence[Card]) -> tuple[Card, ...]:
    """The same cards; none has the colour of the two before it, which are its neighbours."""
    found: list[Card] = []
    for each in cards:
        near = {other.tone for other in found[-2:]}
        free = (tone % _TONES for tone in range(each.tone, each.tone + _TONES))
        found.append(replace(each, tone=next(tone for tone in free if tone not in near)))
    return tuple(found)


def web_address(url: object) -> str | None:
    """The address if it is one that a page may link to: absolute http or https."""
    if not isinstance(url, str) or _NO_ADDRESS.search(url.strip()):
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def leaf(category: str) -> str:
    """The last level of a category path, fit to be read."""
    return tidy(category.rsplit(" > ", 1)[-1], shortest=3)


def tidy(text: str, *, shortest: int = 5) -> str:
    """Catalogues that shout are read in sentence case; anything else stays as it is, as do texts
    with fewer than ``shortest`` capitals: they may be abbreviations, or say 1L in Korean."""
    text = " ".join(text.split())
    shouts = text.isupper() and sum(map(str.isupper, text)) >= shortest
    return text.capitalize() if shouts else text


def _image_set(template: str | None, picture: str | None) -> str:
    if template is None or picture is None:
        return ""
    at_start = "{image_url}"
    if template.startswith(at_start):
        head, rest = picture.replace(",", "%2C"), template.removeprefix(at_start)
    else:
        head, rest = "", template
    sizes = ((width, {"image_url": picture, "width": str(width)}) for width in WIDTHS)
    return ", ".join(f"{head}{filled_in(rest, values)} {width}w" for width, values in sizes)
