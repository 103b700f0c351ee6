"""Content in Klaviyo's templates: profile properties and a web feed.

Klaviyo asks nobody for one person's content when it makes a message. What is personal comes from
the profile property that `rightsend sync` keeps and from Klaviyo's catalog; a web feed is fetched
every 15 minutes, without a key, and is the same for everybody.

https://help.klaviyo.com/hc/en-us/articles/115005258768 (web feeds),
https://help.klaviyo.com/hc/en-us/articles/360004785571 (catalog lookup)
"""

from __future__ import annotations

from connectors.snippets import (
    FOR_YOU,
    NAME,
    PERSONAL,
    TAG,
    Feed,
    Request,
    Snippet,
    SnippetError,
    address,
    no_retry,
    notes,
    parameters,
    unescaped,
)

OWN_ITEMS = {
    "en": """
The customer's items come from the profile property $attribute, as of last night's `rightsend sync`,
and from Klaviyo's catalog, which must know the same item ids. Klaviyo cannot ask for one person's
content at send time, nor can a template end a message: send to a segment "$attribute is set".
Nobody is asked whether to send: consent, night and holdout are for that segment to keep.
""",
    "ko": """
고객별 상품은 프로필 속성 $attribute(지난밤 `rightsend sync` 기준)와 Klaviyo 카탈로그에서 가져오므로
카탈로그의 상품 ID가 같아야 합니다. Klaviyo는 발송 시점에 고객별 콘텐츠를 요청할 수 없고 템플릿이
발송을 멈출 수도 없으니 "$attribute 있음" 세그먼트에 보내세요. 보내도 되는지 고객별로 묻지 않으므로
수신 동의, 야간, 대조군은 그 세그먼트에서 걸러야 합니다.
""",
}
SHARED = {
    "en": """Web feed: Settings > Web feeds > Add: name $name, method GET, type JSON, URL
   $url
It is the same for everybody (also in whether to send: it knows nobody's consent or holdout) and up
to 30 minutes old. Klaviyo sends no key: let a web server of your own take this address and pass it
on with the header $header. $key
No answer: Klaviyo does not send.
""",
    "ko": """웹 피드: Settings > Web feeds > Add에서 이름은 $name, 메서드는 GET, 형식은 JSON, URL은
   $url
모든 고객에게 같은 내용이며(고객별 수신 동의나 대조군은 반영되지 않음) 최대 30분 전 것입니다.
Klaviyo는 키를 보내지 못하므로 이 주소는 귀사의 웹 서버가 받아 헤더 $header를 붙여 전달하게 하세요.
$key
응답이 없으면 Klaviyo는 보내지 않습니다.
""",
}

PASTE = {
    "en": "Paste all of this into an HTML block.\n",
    "ko": "이 전체를 HTML 블록에 붙여 넣으세요.\n",
}


def snippet(request: Request) -> Snippet:
    """Django's notation. Raises SnippetError for ``retry``, a landing link, or an item or campaign
    that would differ from person to person."""
    no_retry(request, "Klaviyo")
    if request.kind in PERSONAL:
        raise SnippetError(
            f"{request.kind}: this is personal, and Klaviyo asks for nobody's content"
        )
    given = (request.item, request.items, request.campaign, *dict(request.parameters).values())
    if any(TAG.fullmatch(each.strip()) for each in given):
        raise SnippetError(
            "item, items, campaign, parameters: give an id; Klaviyo's web feed is the same for "
            "everybody"
        )
    personal = request.kind == FOR_YOU
    feed = Feed(NAME, address(request, parameters(request, unescaped)))
    needed = None if personal and request.otherwise else feed
    steps = {
        locale: (OWN_ITEMS[locale] if personal else "") + (SHARED[locale] if needed else "") + paste
        for locale, paste in PASTE.items()
    }
    comment = notes(
        request, "Klaviyo", steps, feed=feed, lost=False, asks=needed is not None, stops=False
    )
    body = _personal(request) if personal else _related(request)
    return Snippet(f"{{% comment %}}\n{comment}\n{{% endcomment %}}\n{body}\n", needed)


def _personal(request: Request) -> str:
    ids = f"person|lookup:'{request.top_items}'"
    each = f"{{% for id in {ids}|slice:':{request.limit}' %}}{{% catalog id %}}"
    item = _item(request, "catalog_item.title", "catalog_item.url")
    own = f"{each}{item}{{% endcatalog %}}{{% endfor %}}"
    popular = _list(request, request.words["popular"], _feed_items(request))
    shown = _list(request, request.heading, own)
    otherwise = request.otherwise or f"{{% if feeds.{NAME}.send %}}{popular}{{% endif %}}"
    return f"{{% if {ids} %}}{shown}{{% else %}}{otherwise}{{% endif %}}"


def _related(request: Request) -> str:
    unsent = f"feeds.{NAME}.ok and not feeds.{NAME}.send"
    good = f"feeds.{NAME}.ok and not feeds.{NAME}.fallback"
    shown = _list(request, request.heading, _feed_items(request))
    popular = _list(request, request.words["popular"], _feed_items(request))
    return (
        f"{{% if {unsent} %}}{{% elif {good} %}}{shown}"
        f"{{% else %}}{request.otherwise or popular}{{% endif %}}"
    )


def _feed_items(request: Request) -> str:
    item = _item(request, "item.name", "item.url")
    return f"{{% for item in feeds.{NAME}.items %}}{item}{{% endfor %}}"


def _item(request: Request, name: str, url: str) -> str:
    if not request.html:
        return f"• {{{{ {name}|safe }}}}\n"
    return f'<li><a href="{{{{ {url}|escape }}}}">{{{{ {name}|escape }}}}</a></li>\n'


def _list(request: Request, heading: str, items: str) -> str:
    if not request.html:
        return f"{heading}\n{items}"
    return f"\n<h2>{heading}</h2>\n<ul>\n{items}</ul>\n"
