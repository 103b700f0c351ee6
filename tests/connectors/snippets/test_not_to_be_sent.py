"""Who must not be written to gets nothing, whatever is to be said otherwise; who may, the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response, jsonify

from connectors.sandbox.rendering import Message
from connectors.snippets import FOR_YOU, KINDS, PERSONAL, TOP_ITEMS
from plugin.content.asked import STORE_UNAVAILABLE
from plugin.content.policy import SEND_REASONS
from tests.connectors.servers import serving
from tests.connectors.snippets.conftest import KNOWN, TOOLS, Tool

OTHERWISE = "See what is new."
NAME = "Bananas"
LINK = "https://rightsend.example/l/x"
PRICES = {"price": 0.99, "price_then": 1.19, "price_drop": 0.2}
CANNOT_STOP = {"klaviyo", "onesignal"}  # no tag of theirs ends a message
SKIPS_A_LOST_ANSWER = {"klaviyo", "iterable", "onesignal"}
ASKED = {
    "related": {"item": "i1"},
    "bought-together": {"item": "i1"},
    "rank": {"items": "i1,i2"},
}
# Klaviyo has the customer's own items from the profile: its kind for-you is below
PAIRS = [
    (tool, kind)
    for tool in TOOLS
    for kind in KINDS
    if tool != "klaviyo" or kind not in (*PERSONAL, FOR_YOU)
]


@dataclass
class Rightsend:
    """Gives ``answer`` with ``status`` to every content call."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=dict)

    def says(self, **members: Any) -> None:
        """An answer with content, as it comes whether or not to send, but for ``members``."""
        item = {"id": "i1", "name": NAME, "url": "https://shop.example/i1", **PRICES}
        self.answer = {
            "ok": True, "fallback": False, "reason": None, "send": True, "send_reason": None,
            "items": [item], "brands": [item], "categories": [item], "landing_url": LINK,
            **members,
        }  # fmt: skip


@pytest.fixture
def rightsend() -> Iterator[Rightsend]:
    app, found = Flask("rightsend"), Rightsend()

    @app.get("/v1/content/<kind>")
    def content(kind: str) -> tuple[Response, int]:
        return jsonify(found.answer), found.status

    found.says()
    with serving(app) as found.url:
        yield found


def rendered(rightsend: Rightsend, tool: str, kind: str, **wanted: Any) -> Message:
    kitchen = Tool(tool)  # a new one each time: nothing is cached
    made = kitchen.snippet(kind, base_url=rightsend.url, **ASKED.get(kind, {}), **wanted)
    return kitchen.message(made, KNOWN)


@pytest.mark.parametrize(("tool", "kind"), PAIRS)
@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("otherwise", [OTHERWISE, ""])
def test_an_answer_that_says_not_to_send_shows_nothing(
    tool: str, kind: str, html: bool, otherwise: str, rightsend: Rightsend
) -> None:
    for reason in SEND_REASONS:
        for fallback in (False, True):
            rightsend.says(send=False, send_reason=reason, fallback=fallback)
            message = rendered(rightsend, tool, kind, html=html, otherwise=otherwise)
            assert (message.state != "sent", message.body) == (True, ""), reason
            stopped = {"customerio": "failed"}.get(tool, "aborted")
            assert tool in CANNOT_STOP or message.state == stopped


@pytest.mark.parametrize(("tool", "kind"), PAIRS)
@pytest.mark.parametrize("html", [True, False])
def test_an_answer_that_says_to_send_shows_it(
    tool: str, kind: str, html: bool, rightsend: Rightsend
) -> None:
    body = rendered(rightsend, tool, kind, html=html, otherwise=OTHERWISE).body
    assert (LINK if kind == "landing" else NAME) in body
    assert OTHERWISE not in body


@pytest.mark.parametrize(("tool", "kind"), PAIRS)
@pytest.mark.parametrize("html", [True, False])
def test_a_fallback_that_may_be_sent_is_the_other_text(
    tool: str, kind: str, html: bool, rightsend: Rightsend
) -> None:
    rightsend.says(fallback=True, reason=STORE_UNAVAILABLE)
    message = rendered(rightsend, tool, kind, html=html, otherwise=OTHERWISE)
    assert (message.state, message.body) == ("sent", OTHERWISE)


@pytest.mark.parametrize(("tool", "kind"), PAIRS)
@pytest.mark.parametrize("status", [401, 422, 429, 500, 503])
def test_an_error_is_no_answer(tool: str, kind: str, status: int, rightsend: Rightsend) -> None:
    rightsend.status, rightsend.answer = status, {"error": {"code": "x", "message": "x"}}
    message = rendered(rightsend, tool, kind, otherwise=OTHERWISE)
    if tool in SKIPS_A_LOST_ANSWER:
        assert (message.state, message.body) == ("aborted", "")
    else:
        assert (message.state, message.body) == ("sent", OTHERWISE)


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
def test_an_answer_that_lost_whether_to_send_is_not_sent(tool: str, rightsend: Rightsend) -> None:
    rightsend.says()
    del rightsend.answer["send"]  # such as a label that nobody mapped
    assert rendered(rightsend, tool, FOR_YOU, otherwise=OTHERWISE).body == ""


def test_klaviyos_best_sellers_stay_away_when_nothing_is_to_be_sent(rightsend: Rightsend) -> None:
    assert NAME in rendered(rightsend, "klaviyo", FOR_YOU).body
    rightsend.says(send=False, send_reason="quiet_hours")
    assert rendered(rightsend, "klaviyo", FOR_YOU).body == ""


def test_klaviyos_own_items_are_shown_without_asking_whether_to_send(rightsend: Rightsend) -> None:
    kitchen = Tool("klaviyo")
    made = kitchen.snippet(base_url=rightsend.url, otherwise=OTHERWISE)
    kitchen.knows([{"id": "i1", "name": NAME, "url": LINK}])
    assert NAME in kitchen.message(made, KNOWN, **{TOP_ITEMS: ["i1"]}).body
    assert "Nobody is asked whether to send" in made.template


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("otherwise", [OTHERWISE, ""])
def test_the_first_comment_says_what_becomes_of_whom_not_to_send(tool: str, otherwise: str) -> None:
    made = Tool(tool).snippet("related", item="i1", otherwise=otherwise)
    said = "this part stays blank" if tool in CANNOT_STOP else "the person gets no message."
    assert f"says not to send (consent, night, holdout): {said}" in made.template
    korean = Tool(tool).snippet("related", item="i1", otherwise=otherwise, locale="ko").template
    assert "보내지 말라는 응답이면(수신 동의, 야간, 대조군)" in korean


def test_clevertaps_labels_name_everything_that_the_template_reads() -> None:
    labels = "ok, fallback, send, items"
    for locale in ("en", "ko"):
        assert labels in Tool("clevertap").snippet(locale=locale).template
