"""Content at send time: Connected Content.

https://www.braze.com/docs/user_guide/personalization_and_dynamic_content/connected_content/
"""

from __future__ import annotations

from connectors.snippets import NAME, Request, Snippet, address, liquid, notes, parameters

PICKS = "rightsend_picks"
STEPS = {
    "en": """
1. Settings > Connected Content > Add credential: name $name, any user name, the key as password.
   $key
2. Paste all of this into the message (e-mail: into the HTML editor).
Braze waits 2 seconds and may ask several times for one message: a call is no impression.
""",
    "ko": """
1. 설정 > 연결된 콘텐츠(Connected Content) > 자격 증명 추가: 이름은 $name, 사용자 이름은 아무
   값, 비밀번호는 키입니다. $key
2. 이 전체를 메시지에 붙여 넣으세요(이메일은 HTML 편집기).
Braze는 2초까지 기다리며, 한 메시지에 여러 번 요청하기도 합니다. 요청 수는 노출 수가 아닙니다.
""",
}
RETRY = {
    "en": "No answer: Braze asks up to five times, then the person gets no message.",
    "ko": "응답이 없으면 Braze가 최대 다섯 번까지 요청하고, 그래도 없으면 보내지 않습니다.",
}


def snippet(request: Request) -> Snippet:
    """Liquid that calls, checks and shows."""
    steps = STEPS
    if request.retry:
        steps = {locale: text + RETRY[locale] for locale, text in STEPS.items()}
    asked = parameters(
        request, _escape, customer="{{${user_id}}}", campaign="{{campaign.${api_id}}}"
    )
    retry = "\n    :retry" if request.retry else ""
    call = (
        f"{{% connected_content {address(request, asked)}\n"
        f"    :basic_auth {NAME}\n    :save {PICKS}\n    :no_cache{retry} %}}\n"
    )
    return Snippet(
        liquid(
            request,
            comment=notes(request, "Braze", steps, lost=not request.retry),
            call=call,
            answer=PICKS,
            stop=f'{{% abort_message("{request.words["not_to_send"]}") %}}',
            instead=f'{{% abort_message("{request.words["nothing"]}") %}}',
        )
    )


def _escape(expression: str) -> str:
    return f"{{{{{expression} | url_param_escape}}}}"
