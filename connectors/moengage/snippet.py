"""Content at send time: a Content API, called from Jinja.

https://help.moengage.com/hc/en-us/articles/115003622346-Content-APIs
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
    no_retry,
    notes,
    parameters,
    route,
    unescaped,
)

STEPS = {
    "en": """
1. Settings > APIs > Content API > Add: name $name, type Single, header $header with the key, URL
   $url
   and these parameters (type @ for the ID attribute):
   $parameters
   $key
2. Paste all of this into the message.
MoEngage waits 5 seconds and tries up to three times more. It escapes nothing by itself: keep |e.
""",
    "ko": """
1. Settings > APIs > Content API > Add: 이름은 $name, 유형은 Single, 헤더 $header에 키, URL은
   $url
   매개변수는 다음과 같습니다(ID 속성은 @를 입력해 고르세요).
   $parameters
   $key
2. 이 전체를 메시지에 붙여 넣으세요.
MoEngage는 5초까지 기다리고 세 번까지 다시 요청합니다. 자동 이스케이프가 없으니 |e를 지우지 마세요.
""",
}


def snippet(request: Request) -> Snippet:
    """Jinja that calls, checks and shows. Raises SnippetError for ``retry``."""
    no_retry(request, "MoEngage")
    asked = parameters(request, unescaped, quote_id=str, customer="{{UserAttribute['ID']}}")
    feed = Feed(NAME, route(request), asked)
    comment = notes(request, "MoEngage", STEPS, feed=feed)
    stop = f'{{% MOE_NOT_SEND("{request.words["not_to_send"]}") %}}'
    otherwise = request.otherwise or f'{{% MOE_NOT_SEND("{request.words["nothing"]}") %}}'
    template = (
        f"{{#\n{comment}\n#}}\n"
        f"{{% set picks = ContentApi.{NAME}() %}}\n"
        f"{{% if picks and picks['ok'] and not picks['send'] %}}{stop}"
        f"{{% elif picks and picks['ok'] and not picks['fallback'] %}}{_items(request)}"
        f"{{% else %}}{otherwise}{{% endif %}}\n"
    )
    return Snippet(template, feed)


def _items(request: Request) -> str:
    link = "picks['landing_url']"
    if not request.html:
        each = (
            f"{{% for item in picks['{request.shown}'] %}}"
            f"• {{{{ item['name'] or '' }}}}{_note(request)}\n{{% endfor %}}"
        )
        items = "" if request.kind == LANDING else f"{request.heading}\n{each}"
        return f"{items}{{{{ {link} }}}}"
    if request.kind == LANDING:
        return f'\n<a href="{{{{ {link}|e }}}}">{request.heading}</a>\n'
    return (
        f"\n<h2>{request.heading}</h2>\n<ul>\n{{% for item in picks['{request.shown}'] %}}"
        f"<li><a href=\"{{{{ (item['url'] or {link})|e }}}}\">"
        f"{{{{ (item['name'] or '')|e }}}}</a>{_note(request)}</li>\n{{% endfor %}}</ul>\n"
        f'<p><a href="{{{{ {link}|e }}}}">{request.words["all"]}</a></p>\n'
    )


def _note(request: Request) -> str:
    """What stands behind an item's name."""
    words = request.words
    if request.kind == CART:
        few = f"{{% if item['low_stock'] %}} ({words['few']}){{% endif %}}"
        return f"{few}{{% if item['price_drop'] %}} ({words['cheaper']}){{% endif %}}"
    return " ({{ item['price_then'] }} → {{ item['price'] }})" if request.kind == DROP else ""
