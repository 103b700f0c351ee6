"""Addresses with places to fill, as a configuration writes them: ``shop://item/{item_id}``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

_PLACE = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?=.)")
_BAD_SCHEMES = ("javascript:", "data:", "vbscript:", "file:", "blob:", "about:", "http:")


def complaint(template: str, places: Collection[str], needed: Collection[str]) -> str | None:
    """What is wrong with a template that may have ``places`` and must have ``needed``; None:
    nothing."""
    found = set(_PLACE.findall(template))
    unknown = sorted(found - set(places))
    if unknown or re.search(r"[{}]", _PLACE.sub("", template)):
        return "an address with no other places than " + _listed(places)
    if missing := sorted(set(needed) - found):
        return f"an address with {_listed(missing)} in it"
    if re.search(r"[\x00-\x20\x7f\"'<>\\^`|]", template):
        return "an address without spaces, quotes and the like"
    scheme = _SCHEME.match(template)
    if scheme is None or scheme[0] in _BAD_SCHEMES:
        return "an address with an app's scheme or https, such as shop://item/{item_id}"
    return None


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """The address with each place filled by its value, percent-encoded (RFC 3986)."""
    return _PLACE.sub(
        lambda place: quote(values.get(place[1], ""), safe="", errors="replace"), template
    )


def _listed(places: Collection[str]) -> str:
    return ", ".join(f"{{{place}}}" for place in places)
