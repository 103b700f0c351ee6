"""Content at send time: a data feed, read in the template by ``[[ … ]]``.

https://support.iterable.com/hc/en-us/articles/45728211053332-Creating-a-Data-Feed-Web-Service
"""

from __future__ import annotations

from connectors.snippets import (
    CART,
    DROP,
    LANDING,
    NAME,
    Feed,
    Request,
    Snippet,
    address,
    no_retry,
    notes,
    parameters,
)

STEPS = {
    "en": """
1. Integrations > Data Feeds > New: alias $name, type JSON, header $header with the key, URL
   $url
   $key
   If your project knows people by e-mail, put the field with your customer id in place of userId.
2. In the template's settings choose this feed; leave "Merge the data feed and user contexts" off.
3. Paste all of this into the template.
No answer with status 200 within 10 seconds: Iterable tries again, then skips the person.
""",
    "ko": """
1. Integrations > Data Feeds > New: alias는 $name, 형식은 JSON, 헤더 $header에 키, URL은
   $url
   $key
   이메일로 고객을 식별하는 프로젝트라면 userId 자리에 고객 ID가 든 필드를 넣으세요.
2. 템플릿 설정에서 이 피드를 고르고 "Merge the data feed and user contexts"는 꺼 두세요.
3. 이 전체를 템플릿에 붙여 넣으세요.
10초 안에 상태 코드 200으로 응답하지 않으면 Iterable이 다시 시도한 뒤 그 고객을 건너뜁니다.
""",
}


def snippet(request: Request) -> Snippet:
    """Handlebars; the feed fetches each person's content. Raises SnippetError for ``retry``."""
    no_retry(request, "Iterable")
    asked = parameters(request, _escape, customer="{{userId}}", campaign="{{campaignId}}")
    feed = Feed(NAME, address(request, asked))
    comment = notes(request, "Iterable", STEPS, feed=feed, lost=False)
    stop = f'[[sendSkip cause="{request.words["not_to_send"]}"]]'
    otherwise = request.otherwise or f'[[sendSkip cause="{request.words["nothing"]}"]]'
    shown = f"[[#if {NAME}.fallback]]{otherwise}[[else]]{_items(request)}[[/if]]"
    template = (
        f"{{{{!--\n{comment}\n--}}}}\n"
        f"[[#if {NAME}.ok]][[#if {NAME}.send]]{shown}[[else]]{stop}[[/if]]"
        f"[[else]]{otherwise}[[/if]]\n"
    )
    return Snippet(template, feed)


def _items(request: Request) -> str:
    link = f"{NAME}.landing_url"
    if not request.html:
        each = f"[[#each {NAME}.{request.shown}]]• [[{{name}}]]{_note(request)}\n[[/each]]"
        items = "" if request.kind == LANDING else f"{request.heading}\n{each}"
        return f"{items}[[{{{link}}}]]"
    if request.kind == LANDING:
        return f'\n<a href="[[{link}]]">{request.heading}</a>\n'
    return (
        f"\n<h2>{request.heading}</h2>\n<ul>\n[[#each {NAME}.{request.shown}]]"
        '<li>[[#if url]]<a href="[[url]]">[[name]]</a>[[else]][[name]][[/if]]'
        f"{_note(request)}</li>\n"
        f'[[/each]]</ul>\n<p><a href="[[{link}]]">{request.words["all"]}</a></p>\n'
    )


def _note(request: Request) -> str:
    """What stands behind an item's name."""
    words = request.words
    if request.kind == CART:
        few = f"[[#if low_stock]] ({words['few']})[[/if]]"
        return f"{few}[[#if price_drop]] ({words['cheaper']})[[/if]]"
    return " ([[price_then]] → [[price]])" if request.kind == DROP else ""


def _escape(expression: str) -> str:
    """Three braces: an id with an apostrophe must not be escaped for HTML first."""
    return f"{{{{#urlEncode}}}}{{{{{{{expression}}}}}}}{{{{/urlEncode}}}}"
