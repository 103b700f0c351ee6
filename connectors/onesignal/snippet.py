"""Content at send time: a data feed of an e-mail journey.

https://documentation.onesignal.com/docs/data-feeds
"""

from __future__ import annotations

from connectors.snippets import (
    NAME,
    Feed,
    Request,
    Snippet,
    address,
    liquid,
    liquid_items,
    no_retry,
    notes,
    parameters,
)

STEPS = {
    "en": """
1. Data > Data Feeds > New: alias $name, method GET, header $header with the key, URL
   $url
   $key
2. Template > Personalization > Data Feeds: attach it. Data feeds work in e-mails of journeys only.
3. Paste all of this into an HTML block.
No answer: OneSignal skips the person. What else stands in the e-mail goes out to everybody: let the
journey take in only those who may be written to.
""",
    "ko": """
1. Data > Data Feeds > New: alias는 $name, 메서드는 GET, 헤더 $header에 키, URL은
   $url
   $key
2. 템플릿 > Personalization > Data Feeds에서 연결하세요. Data Feed는 여정의 이메일에서만 됩니다.
3. 이 전체를 HTML 블록에 붙여 넣으세요.
응답이 없으면 OneSignal이 그 고객을 건너뜁니다. 이메일의 나머지 부분은 모두에게 발송되므로 발송해도
되는 고객만 여정에 넣으세요.
""",
}


def snippet(request: Request) -> Snippet:
    """Liquid; the feed fetches each person's content. Raises SnippetError for ``retry``."""
    no_retry(request, "OneSignal")
    asked = parameters(request, _escape, customer="{{subscription.external_id}}")
    feed = Feed(NAME, address(request, asked))
    comment = notes(request, "OneSignal", STEPS, feed=feed, lost=False, stops=False)
    answer = f"data_feed.{NAME}"
    popular = liquid_items(request, answer, request.words["popular"])
    return Snippet(liquid(request, comment=comment, answer=answer, stop="", instead=popular), feed)


def _escape(expression: str) -> str:
    return f"{{{{ {expression} | url_encode }}}}"
