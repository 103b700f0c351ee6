"""Ready-to-paste templates that ask Rightsend for content when a message is made.

Each tool with a send-time pull has a ``snippet.py``: a function from Request to Snippet. What the
tools share is here: what may be asked for, the address that is called, the words of a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template as StringTemplate
from urllib.parse import quote

FOR_YOU, RELATED, TOGETHER, LANDING = "for-you", "related", "bought-together", "landing"
CART, BACK, DROP, DUE = "cart", "back-in-stock", "price-drop", "replenishment"
NEW, BRANDS, CATEGORIES, RANK = "new-arrivals", "brands", "categories", "rank"
KINDS = (
    FOR_YOU, RELATED, TOGETHER, CART, BACK, DROP, DUE, NEW, BRANDS, CATEGORIES, RANK, LANDING,
)  # fmt: skip
BESIDE = (RELATED, TOGETHER)  # kinds about an item
# kinds that say nothing without a person
PERSONAL = (CART, BACK, DROP, DUE, BRANDS, CATEGORIES, LANDING)
LOCALES = ("en", "ko")
NAME = "rightsend"  # of the credential and of the feed, as the tool keeps them
KEY_HEADER = "X-Api-Key"
TOP_ITEMS = "rightsend_top_items"  # user attribute, as the demo's configuration calls it

ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
TAG = re.compile(r"\{\{(.+)\}\}", re.DOTALL)
# With these an id or a tag would leave its place, be it a tag's or a comment's.
MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}|\[\[|\]\]|[\0-\x1f\x7f-\x9f\u2028\u2029]")
BLOCKS = ("#", "/", "^", "!", ">", "&")  # what such a tag writes is not a value
PARAMETER = re.compile(r"[a-z][a-z_]*")
OWN = ("customer", "campaign", "item", "items", "limit", "channel")  # parameters with an option
ATTRIBUTE = re.compile(r"[A-Za-z0-9_ .$-]+")


class SnippetError(Exception):
    """There is no such snippet; the text says what to change."""


@dataclass(frozen=True)
class Request:
    """What a marketer wants to paste.

    ``base_url`` is where the tool reaches Rightsend. ``campaign`` and ``item`` are ids, or a tag of
    the tool such as ``{{event_properties.${item_id}}}``; without a campaign the tool's own campaign
    id is taken where its language knows it. ``otherwise`` is said, in the tool's language, where no
    answer came or one that is not personal; never to whom the answer says not to send. Without it
    such a person gets no message, where the tool can leave one out. ``html``: a part of an HTML
    e-mail, else plain text. ``retry``: ask again when the answer is lost. ``top_items``: the user
    attribute with a customer's item ids. ``items``: ids separated by commas, or a tag, for rank.
    ``channel``: how the message is sent (default: email for HTML), which decides whether it may
    come at night. ``parameters``: more of the call, such as
    filters, as (name, id or tag).
    """

    kind: str
    base_url: str
    campaign: str = ""
    item: str = ""
    limit: int = 3
    locale: str = "en"
    html: bool = True
    otherwise: str = ""
    retry: bool = False
    top_items: str = TOP_ITEMS
    items: str = ""
    channel: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

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
        if not ATTRIBUTE.fullmatch(self.top_items):
            raise SnippetError(f"attribute: {self.top_items!r} cannot be named in a template")
        if bool(self.item) != (self.kind in BESIDE):
            raise SnippetError(f"{self.kind} {'takes no' if self.item else 'needs an'} item")
        if bool(self.items) != (self.kind == RANK):
            raise SnippetError(f"{self.kind} {'takes no items' if self.items else 'needs items'}")
        own = {"item": self.item, "items": self.items, "campaign": self.campaign}
        for name, given in (*own.items(), ("channel", self.channel), *self.parameters):
            if not _keeps_its_place(given):
                raise SnippetError(f"{name}: found {given!r}, expected an id or one tag")
        for name, _ in self.parameters:
            if not PARAMETER.fullmatch(name) or name in OWN:
                raise SnippetError(
                    f"parameter: {name!r} cannot be set, or has an option of its own"
                )

    @property
    def words(self) -> Mapping[str, str]:
        """What a message says, in the locale's language."""
        return WORDS[self.locale]

    @property
    def heading(self) -> str:
        return self.words[self.kind]

    @property
    def shown(self) -> str:
        """The member of the answer whose entries are shown: each has a name and a url."""
        return self.kind if self.kind in (BRANDS, CATEGORIES) else "items"


def _keeps_its_place(given: str) -> bool:
    tag = TAG.fullmatch(given.strip())
    inside = tag[1].strip() if tag else given
    if tag and (not inside or inside.startswith(BLOCKS)):
        return False
    return MARKS.search(inside) is None


@dataclass(frozen=True)
class Feed:
    """What is entered in the tool's settings, beside the template.

    ``url`` and the values of ``parameters`` hold the tool's tags; the tool itself escapes
    parameters and puts them behind the address. The key goes into the header ``KEY_HEADER``, never
    into the address.
    """

    name: str
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snippet:
    """``template`` is pasted into the message; its first comment says what to set up. ``feed`` is
    None where the template itself makes the call."""

    template: str
    feed: Feed | None = None


MakeSnippet = Callable[[Request], Snippet]

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        FOR_YOU: "Picked for you",
        RELATED: "You may also like",
        TOGETHER: "Often bought together",
        LANDING: "Your own page",
        CART: "Still in your cart",
        BACK: "Back in stock",
        DROP: "Cheaper now",
        DUE: "Time to stock up",
        NEW: "New for you",
        BRANDS: "Your brands",
        CATEGORIES: "Your departments",
        RANK: "In your order",
        "few": "only a few left",
        "cheaper": "cheaper now",
        "popular": "Popular right now",
        "all": "See all of it",
        "nothing": "nothing personal to say",
        "not_to_send": "not to be sent",
        "title": "Rightsend {kind} for {tool}",
        "key": "The key is made by `rightsend keys create --scope content`; "
        "it never stands in an address or in a message.",
        "lost": "No answer, or nothing personal:",
        "not_personal": "Nothing personal:",
        "unsent": "The answer says not to send (consent, night, holdout):",
        "text": "the text at the end is shown.",
        "skip": "the person gets no message.",
        "blank": "this part stays blank, as no tag of this tool ends a message.",
        "popular_shown": "best sellers are shown.",
    },
    "ko": {
        FOR_YOU: "고객님을 위한 추천",
        RELATED: "이런 상품은 어떠세요?",
        TOGETHER: "함께 많이 구매한 상품",
        LANDING: "고객님만을 위한 페이지",
        CART: "장바구니에 담아 두신 상품",
        BACK: "다시 입고되었습니다",
        DROP: "가격이 내렸습니다",
        DUE: "다시 구매하실 때가 되었습니다",
        NEW: "고객님을 위한 신상품",
        BRANDS: "고객님이 찾으시는 브랜드",
        CATEGORIES: "고객님이 찾으시는 카테고리",
        RANK: "고객님 맞춤 순서",
        "few": "품절 임박",
        "cheaper": "가격 인하",
        "popular": "지금 인기 있는 상품",
        "all": "전체 보기",
        "nothing": "맞춤 내용 없음",
        "not_to_send": "발송 대상 아님",
        "title": "Rightsend {kind}, {tool}용",
        "key": "키는 `rightsend keys create --scope content` 명령으로 만듭니다. "
        "주소나 메시지에는 절대 적지 마세요.",
        "lost": "응답이 없거나 맞춤 내용이 없으면",
        "not_personal": "맞춤 내용이 없으면",
        "unsent": "보내지 말라는 응답이면(수신 동의, 야간, 대조군)",
        "text": "맨 끝의 문구를 보여 줍니다.",
        "skip": "그 고객에게는 보내지 않습니다.",
        "blank": "이 부분을 비워 둡니다. 이 도구에는 발송을 멈추는 태그가 없습니다.",
        "popular_shown": "인기 상품을 보여 줍니다.",
    },
}


def notes(
    request: Request,
    tool: str,
    steps: Mapping[str, str],
    *,
    feed: Feed | None = None,
    lost: bool = True,
    asks: bool = True,
    stops: bool = True,
) -> str:
    """The lines of a template's first comment.

    ``steps``: locale → what to set up; in it stand ``$name`` and ``$header``, ``$key`` for what is
    to be known about the key, ``$attribute`` for the one with item ids, and ``$url`` and
    ``$parameters`` of the feed. ``lost``: a lost answer ends like one that is not personal.
    ``asks``: there is an answer that says whether to send. ``stops``: the tool can leave a message
    out; else ``unsent`` is blank, and best sellers stand in where there is no ``otherwise``.
    """
    words = request.words
    known = {
        "name": NAME,
        "header": KEY_HEADER,
        "key": words["key"],
        "attribute": request.top_items,
        "url": feed.url if feed else "",
        "parameters": ", ".join(f"{k} = {v}" for k, v in feed.parameters.items()) if feed else "",
    }
    title = words["title"].format(kind=request.kind, tool=tool)
    text = StringTemplate(steps[request.locale].strip()).substitute(known)
    unsent = f"{words['unsent']} {words['skip' if stops else 'blank']}\n" if asks else ""
    when = words["lost" if lost else "not_personal"]
    then = "text" if request.otherwise else "skip" if stops else "popular_shown"
    return f"{title}\n{text}\n{unsent}{when} {words[then]}"


def no_retry(request: Request, tool: str) -> None:
    """Raises SnippetError when the snippet shall ask again and the tool's language has no way."""
    if request.retry:
        raise SnippetError(f"retry: a template of {tool} cannot ask for it; leave it out")


def percent(text: str) -> str:
    """Escaped for a query string."""
    return quote(text, safe="")


def route(request: Request) -> str:
    """The address without its query."""
    path = FOR_YOU if request.kind == LANDING else request.kind
    return f"{request.base_url.rstrip('/')}/v1/content/{path}"


def parameters(
    request: Request,
    tag: Callable[[str], str],
    *,
    quote_id: Callable[[str], str] = percent,
    customer: str = "",
    campaign: str = "",
) -> dict[str, str]:
    """What stands in the query, for one person.

    ``customer`` and ``campaign`` are the tool's tags for the ids; without a customer everybody gets
    the same. ``tag`` makes of a tag's inside one that writes the value as the query needs it, and
    ``quote_id`` does so with an id.
    """
    given = {
        "customer": customer,
        "item": request.item,
        "items": request.items,
        "campaign": request.campaign or campaign,
        "limit": "1" if request.kind == LANDING else str(request.limit),
        "channel": request.channel or ("email" if request.html else ""),
        **dict(request.parameters),
    }
    written = {}
    for name, text in given.items():
        inside = TAG.fullmatch(text.strip())
        if text:
            written[name] = tag(inside[1].strip()) if inside else quote_id(text)
    return written


def unescaped(inside: str) -> str:
    """The tag again, for a tool that escapes parameters itself."""
    return f"{{{{{inside}}}}}"


def address(request: Request, asked: Mapping[str, str]) -> str:
    """The address with its query."""
    return f"{route(request)}?{'&'.join(f'{name}={value}' for name, value in asked.items())}"


def liquid(
    request: Request,
    *,
    comment: str,
    call: str = "",
    answer: str,
    stop: str,
    instead: str,
) -> str:
    """A message in Liquid. ``answer`` is the variable with what Rightsend said. ``stop`` ends
    without a message when that is not to send, or is empty where no tag can; ``instead`` is what
    follows on no answer, or one that is not personal, without ``otherwise``."""
    return (
        f"{{% comment %}}\n{comment}\n{{% endcomment %}}\n{call}"
        f"{{% if {answer}.ok == true and {answer}.send != true %}}{stop}"
        f"{{% elsif {answer}.ok == true and {answer}.fallback == false %}}"
        f"{liquid_items(request, answer)}"
        f"{{% else %}}{request.otherwise or instead}{{% endif %}}\n"
    )


def liquid_items(request: Request, answer: str, heading: str = "") -> str:
    """The part of a message with the items, or with the link to the landing page."""
    heading = heading or request.heading
    link = f"{answer}.landing_url"
    if not request.html:
        each = (
            f"{{% for item in {answer}.{request.shown} %}}"
            f"• {{{{ item.name }}}}{_liquid_note(request)}\n{{% endfor %}}"
        )
        items = "" if request.kind == LANDING else f"{heading}\n{each}"
        return f"{items}{{{{ {link} }}}}"
    if request.kind == LANDING:
        return f'\n<a href="{{{{ {link} | escape }}}}">{heading}</a>\n'
    return (
        f"\n<h2>{heading}</h2>\n<ul>\n{{% for item in {answer}.{request.shown} %}}"
        f'<li><a href="{{{{ item.url | default: {link} | escape }}}}">'
        f"{{{{ item.name | escape }}}}</a>{_liquid_note(request)}</li>\n{{% endfor %}}</ul>\n"
        f'<p><a href="{{{{ {link} | escape }}}}">{request.words["all"]}</a></p>\n'
    )


def _liquid_note(request: Request) -> str:
    """What stands behind an item's name."""
    words = request.words
    if request.kind == CART:
        cheaper = "{% if item.price_drop and item.price_drop > 0 %}"
        return (
            f"{{% if item.low_stock %}} ({words['few']}){{% endif %}}"
            f"{cheaper} ({words['cheaper']}){{% endif %}}"
        )
    return " ({{ item.price_then }} → {{ item.price }})" if request.kind == DROP else ""
