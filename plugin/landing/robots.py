"""Is it a person who opens a page, or a program: what a request tells, and what several together.

Mail gateways, chat previews and search engines follow every link of a message. What they betray
themselves by, without asking anybody else: the name they give, a HEAD request, the browser's own
word that it only prefetches, headers that every browser sends with a page and few programs do, and
behaviour that no hand is quick enough for. A program that imitates a browser in all of that, opens
one page and follows one link slowly, is taken for a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from werkzeug.datastructures import Headers

from scoring.store.taps import NotedTap

USER_AGENT = "user_agent"
HEAD = "head"
PREFETCH = "prefetch"
HEADERS = "headers"
BURST = "burst"
TOO_SOON = "too_soon"
NO_OPEN = "no_open"
SIGNS = (USER_AGENT, HEAD, PREFETCH, HEADERS, BURST, TOO_SOON, NO_OPEN)

BURST_MS = 1000  # links of two items within a second
BURST_AROUND_MS = 3000  # what else was done around a burst belongs to it
TOO_SOON_MS = 500  # from the page's open to the first tap

# Beside what does not call itself Mozilla/5.0, as every browser and app does.
_PROGRAMS = re.compile(
    r"(?<!cu)bot\b|(?<!cu)bot[/_-]|crawl|spider|slurp|scanner|preview|unfurl|monitoring|validator|"
    r"\(compatible; (?!msie)|https?://|"  # says where to complain
    r"headless|lighthouse|phantomjs|electron|"
    r"facebookexternalhit|meta-external|kakaotalk-scrap|skypeuri|"
    r"mimecast|proofpoint|barracuda|symantec|messagelabs|trendmicro|fireeye|ironport|zscaler|"
    r"safelinks|googleimageproxy|yahoomailproxy|google-(?:read|safety|inspection)|yeti/|daumoa",
    re.IGNORECASE,
)
_BROWSER = "Mozilla/5.0"
_AGENT_LENGTH = 512
_CHROME = re.compile(r"Chrome/(\d{1,4})\b")
_METADATA_SINCE = 90  # of the versions that say what a request is for (Sec-Fetch-*), with room
_IN_ADVANCE = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def sign_of(method: str, headers: Headers, *, secure: bool) -> str | None:
    """What one request for a page betrays, one of SIGNS; None: it may be a person's.

    ``secure``: the page is served by https, where browsers say what a request is for.
    """
    agent = headers.get("User-Agent", "")
    if _is_program(agent[:_AGENT_LENGTH]):
        return USER_AGENT
    if method == "HEAD":
        return HEAD
    if any(_in_advance(headers.get(name, "")) for name in _IN_ADVANCE):
        return PREFETCH
    return HEADERS if _lacks_what_browsers_send(agent, headers, secure) else None


def judged(item: str, at_ms: int, noted: Sequence[NotedTap]) -> str | None:
    """What a tap on ``item`` (empty: the page's open) betrays beside the others of its page, one of
    SIGNS. ``noted``: all taps on the page, in order of time."""
    followed = [tap for tap in noted if tap.item and abs(tap.at_ms - at_ms) <= BURST_AROUND_MS]
    for one, next_one in pairwise(followed):
        if one.item != next_one.item and next_one.at_ms - one.at_ms <= BURST_MS:
            return BURST
    if not item:
        return None
    opened = [tap.at_ms for tap in noted if not tap.item and tap.at_ms <= at_ms]
    if not opened:
        return NO_OPEN
    return TOO_SOON if at_ms - opened[-1] < TOO_SOON_MS else None


@lru_cache(maxsize=4096)
def _is_program(agent: str) -> bool:
    return not agent.startswith(_BROWSER) or _PROGRAMS.search(agent) is not None


def _in_advance(value: str) -> bool:
    return any(word in value.lower() for word in ("prefetch", "prerender", "preview"))


def _lacks_what_browsers_send(agent: str, headers: Headers, secure: bool) -> bool:
    if not headers.get("Accept-Language") or "text/html" not in headers.get("Accept", ""):
        return True
    wanted = headers.get("Sec-Fetch-Dest")
    if wanted is not None:
        return wanted != "document"
    chrome = _CHROME.search(agent)
    return secure and chrome is not None and int(chrome[1]) >= _METADATA_SINCE
