"""Ready-to-paste templates that ask Rightsend for content when a message is made.

Each tool with a send-time pull has a ``snippet.py``: a function from Request to Snippet. What the
tools share is here: what may be asked for, the address that is called, the words of a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

FOR_YOU, RELATED, TOGETHER, LANDING = "for-you", "related", "bought-together", "landing"
KINDS = (FOR_YOU, RELATED, TOGETHER, LANDING)
LOCALES = ("en", "ko")
NAME = "rightsend"  # of the credential and of the feed, as the tool keeps them
KEY_HEADER = "X-Api-Key"
TOP_ITEMS = "rightsend_top_items"  # user attribute, as the demo's configuration calls it

ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
TAG = re.compile(r"\{\{(.+)\}\}", re.DOTALL)


class SnippetError(ValueError):
    """There is no such snippet; the text says what to change."""


@dataclass(frozen=True)
class Request:
    """What a marketer wants to paste.

    ``campaign`` and ``item`` are ids, or a tag of the tool such as
    ``{{event_properties.${item_id}}}``; without a campaign the tool's own campaign id is taken
    where its language knows it. ``otherwise`` is what is said to whom there is nothing personal to
    say, in the tool's language; without it such a person gets no message. ``html``: as part of an
    HTML e-mail, else as plain text. ``top_items`` is the user attribute with a customer's item ids.
    """

    kind: str
    base_url: str
    campaign: str = ""
    limit: int = 3
    item: str = ""
    locale: str = "en"
    retry: bool = False
    html: bool = True
    otherwise: str = ""
    top_items: str = TOP_ITEMS

    def __post_init__(self) -> None:
        """Raises SnippetError for what no tool can be asked."""
        if self.kind not in KINDS:
            raise SnippetError(f"kind: found {self.kind!r}, expected one of {', '.join(KINDS)}")
        if self.locale not in LOCALES:
            raise SnippetError(f"locale: found {self.locale!r}, expected en or ko")
        if not ADDRESS.fullmatch(self.base_url):
            raise SnippetError(f"address: found {self.base_url!r}, expected http(s)://host[/path]")
        if self.limit < 1:
            raise SnippetError(f"limit: found {self.limit}, expected 1 or more")
        if bool(self.item) != (self.kind in (RELATED, TOGETHER)):
            need = "needs an item" if not self.item else "takes no item"
            raise SnippetError(f"{self.kind} {need}")


@dataclass(frozen=True)
class Feed:
    """What is entered in the tool's settings, beside the template: a name, and the address with
    the tool's tags in it. The key goes into the header ``KEY_HEADER``, never into the address."""

    name: str
    url: str


@dataclass(frozen=True)
class Snippet:
    """``template`` is pasted into the message; its first comment says what to set up. ``feed`` is
    None where the template itself makes the call."""

    template: str
    feed: Feed | None = None


MakeSnippet = Callable[[Request], Snippet]


def content_url(request: Request, customer: str, escape: Callable[[str], str]) -> str:
    """The address that is called for one person.

    ``customer`` is what the tool calls the customer's id; ``escape`` makes an expression of the
    tool's language a tag that writes it escaped for a query string. An empty customer is left out.
    """
    route = FOR_YOU if request.kind == LANDING else request.kind
    values = {
        "customer": escape(customer) if customer else "",
        "item": _value(request.item, escape),
        "campaign": _value(request.campaign, escape),
        "limit": "1" if request.kind == LANDING else str(request.limit),
    }
    query = "&".join(f"{name}={value}" for name, value in values.items() if value)
    return f"{request.base_url.rstrip('/')}/v1/content/{route}?{query}"


def _value(text: str, escape: Callable[[str], str]) -> str:
    """An id as it stands, or the tag whose inside is an expression of the tool's language."""
    tag = TAG.fullmatch(text.strip())
    return escape(tag[1].strip()) if tag else quote(text, safe="")
