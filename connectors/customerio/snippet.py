"""Content at send time: a webhook action before the message, its answer as a journey attribute.

https://docs.customer.io/journeys/webhooks-action
"""

from __future__ import annotations

from connectors.snippets import (
    NAME,
    Feed,
    Request,
    Snippet,
    address,
    liquid,
    no_retry,
    notes,
    parameters,
)

STEPS = {
    "en": """
1. In the journey, right before the message: Send and receive data, method GET, header $header with
   the key, URL
   $url
   $key
2. Response of that action: journey attribute $name, value as JSON: response
3. Paste all of this into the message (latest Liquid version).
Content is as old as the time between the action and the message: put no delay between them.
No tag of Customer.io ends a message; the tag journey.rightsend_says_not_to_send names an attribute
that does not exist, which fails the message. A branch before the message avoids the entry Failed.
""",
    "ko": """
1. 여정에서 메시지 바로 앞에 Send and receive data를 두고 메서드는 GET, 헤더 $header에 키, URL은
   $url
   $key
2. 그 액션의 Response: 여정 속성 $name, 값은 JSON으로 response
3. 이 전체를 메시지에 붙여 넣으세요(최신 Liquid 버전).
콘텐츠는 액션 시점의 것이므로 액션과 메시지 사이에 대기 시간을 두지 마세요.
Customer.io에는 발송을 멈추는 태그가 없습니다. journey.rightsend_says_not_to_send 태그는 없는
속성을 가리켜 메시지를 Failed로 끝냅니다. 메시지 앞에 분기를 두면 이 기록이 남지 않습니다.
""",
}
# no tag of Customer.io ends a message, but printing an attribute that is missing does
STOP = f"{{{{ journey.{NAME}_says_not_to_send }}}}"


def snippet(request: Request) -> Snippet:
    """Liquid; the action before it fetches each person's content. Raises SnippetError for
    ``retry``."""
    no_retry(request, "Customer.io")
    asked = parameters(request, _escape, customer="{{customer.id}}", campaign="{{campaign.id}}")
    feed = Feed(NAME, address(request, asked))
    comment = notes(request, "Customer.io", STEPS, feed=feed)
    answer = f"journey.{NAME}"
    return Snippet(liquid(request, comment=comment, answer=answer, stop=STOP, instead=STOP), feed)


def _escape(expression: str) -> str:
    return f"{{{{ {expression} | url_encode }}}}"
