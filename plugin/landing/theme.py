"""How a workspace's page looks: its colours made readable by day and by night, font and logo."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from settings.colors import READABLE, VISIBLE, mix, readable, text_on
from settings.workspace import LandingSettings

_CSS = (Path(__file__).parent / "templates" / "landing.css").read_text(encoding="utf-8")
_FONTS = (
    'system-ui,-apple-system,"Segoe UI",Roboto,"Apple SD Gothic Neo","Noto Sans KR",'
    '"Noto Sans CJK KR",sans-serif'
)
_MORE_READABLE = 5.0  # small text on tinted ground


@dataclass(frozen=True)
class Theme:
    """``style`` is the whole style sheet and ``style_hash`` the CSP source expression that allows
    it and no other; ``schemes`` is (media query, colour) for the browser's own bars."""

    style: str
    style_hash: str
    schemes: tuple[tuple[str, str], ...]
    shop_name: str
    shop_url: str | None
    logo_url: str | None
    dark_logo_url: str | None


def of(landing: LandingSettings) -> Theme:
    """The theme of a workspace's settings."""
    looks = (landing.accent_color, landing.dark_mode, landing.font or "")
    colors = (tuple(landing.colors.items()), tuple(landing.dark_colors.items()))
    style, digest, schemes = _styled(looks, colors)
    only_dark = landing.dark_mode == "always" and landing.dark_logo_url
    return Theme(
        style=style,
        style_hash=digest,
        schemes=schemes,
        shop_name=landing.shop_name or "",
        shop_url=landing.shop_url,
        logo_url=only_dark or landing.logo_url,
        dark_logo_url=landing.dark_logo_url if landing.dark_mode == "auto" else None,
    )


Pairs = tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def _styled(looks: tuple[str, str, str], colors: tuple[Pairs, Pairs]) -> tuple[str, str, Pairs]:
    accent, dark_mode, font = looks
    light, dark = (dict(each) for each in colors)
    variables = {
        "light": _variables({"accent": accent, **light}) + _LIGHT,
        "dark": _variables({"accent": accent, **dark}) + _DARK,
    }
    fonts = f":root{{--font:{font + ',' if font else ''}{_FONTS}}}"
    if dark_mode == "auto":
        rules = (
            f":root{{color-scheme:light dark;{variables['light']}}}"
            f"@media (prefers-color-scheme:dark){{:root{{{variables['dark']}}}}}"
        )
        schemes: Pairs = (
            ("(prefers-color-scheme: light)", light["page"]),
            ("(prefers-color-scheme: dark)", dark["page"]),
        )
    else:
        scheme = "dark" if dark_mode == "always" else "light"
        rules = f":root{{color-scheme:{scheme};{variables[scheme]}}}"
        schemes = (("all", (dark if scheme == "dark" else light)["page"]),)
    style = f"{fonts}{rules}\n{_CSS}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return style, f"'sha256-{digest}'", schemes


# beside what _variables makes of the colours
_LIGHT = (
    "--shade:0 1px 2px rgb(20 20 30/.05),0 8px 24px rgb(20 20 30/.06);"
    "--lift:0 2px 4px rgb(20 20 30/.06),0 14px 34px rgb(20 20 30/.13);--edge:0;--dim:none;"
)
_DARK = "--shade:none;--lift:0 10px 30px rgb(0 0 0/.5);--edge:1px;--dim:brightness(.9);"


def _variables(colors: Mapping[str, str]) -> str:
    """The style sheet's colours, each readable where it is used. All are worked out here: many
    phones know no color-mix()."""
    page, card, text, accent = (colors[name] for name in ("page", "card", "text", "accent"))
    tint = mix(card, accent, 0.1)
    found = {
        "page": page,
        "card": card,
        "text": text,
        "quiet": readable(mix(text, page, 0.38), (page, card, tint), text, _MORE_READABLE),
        "line": mix(card, text, 0.1),
        "link": readable(accent, (page, card, tint), text, READABLE),
        "mark": readable(accent, (page, card), text, VISIBLE),
        "accent": accent,
        "on-accent": text_on(accent),
        "tint": tint,
    }
    return "".join(f"--{name}:{value};" for name, value in found.items())
