"""Content at send time for CleverTap, which is written to by the generic connector: Linked Content.

https://docs.clevertap.com/docs/linked-content
"""

from __future__ import annotations

from connectors.snippets import (
    NAME,
    Feed,
    Request,
    Snippet,
    liquid,
    no_retry,
    notes,
    parameters,
    route,
    unescaped,
)

STEPS = {
    "en": """
1. Settings > Setup > Linked Content > New: name $name, method GET, header $header with the key, URL
   $url
   with these query parameters, whose values in braces are mapped in the campaign (What >
   Personalization > Linked Content):
   $parameters
   $key
   Auto-fill the objects: ok, fallback, send, items and landing_url must be among the labels.
2. Paste all of this into the message.
CleverTap waits 5 seconds and asks once.
""",
    "ko": """
1. Settings > Setup > Linked Content > New: 이름은 $name, 메서드는 GET, 헤더 $header에 키, URL은
   $url
   쿼리 매개변수는 다음과 같고, 중괄호 값은 캠페인(What > Personalization > Linked Content)에서
   연결합니다.
   $parameters
   $key
   객체를 자동으로 채우세요. 라벨에 ok, fallback, send, items, landing_url이 있어야 합니다.
2. 이 전체를 메시지에 붙여 넣으세요.
CleverTap은 5초까지 기다리며 한 번만 요청합니다.
""",
}


def clevertap(request: Request) -> Snippet:
    """Liquid; Linked Content fetches each person's content. Raises SnippetError for ``retry``."""
    no_retry(request, "CleverTap")
    asked = parameters(request, unescaped, quote_id=str, customer="{{Profile.Identity}}")
    feed = Feed(NAME, route(request), asked)
    comment = notes(request, "CleverTap", STEPS, feed=feed)
    answer = f"Linked.{NAME}"
    stop = "{% abort %}"
    return Snippet(liquid(request, comment=comment, answer=answer, stop=stop, instead=stop), feed)
