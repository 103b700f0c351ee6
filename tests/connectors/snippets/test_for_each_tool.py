"""The generated snippet, rendered as each tool does, against a running plugin."""

from __future__ import annotations

import re
from dataclasses import asdict
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from connectors import delivery
from connectors.registry import REGISTRY, SNIPPETS
from connectors.sandbox import rules
from connectors.sandbox.client import Sandbox
from connectors.snippets import (
    KEY_HEADER,
    KINDS,
    NAME,
    PERSONAL,
    TOP_ITEMS,
    Request,
    SnippetError,
)
from connectors.tool import Ability
from settings.workspace import AttributeSettings, ConnectionSettings
from tests.connectors.doubles import KEY
from tests.connectors.servers import serving
from tests.connectors.snippets.conftest import (
    KNOWN,
    NOWHERE,
    ODD,
    TOOLS,
    UNKNOWN,
    Plugin,
    Tool,
    asked_customers,
    make,
)

OTHERWISE = "See what is new."
SKIPS_A_LOST_ANSWER = {"iterable", "onesignal"}  # the tool itself leaves the person out
CANNOT_STOP = {"klaviyo", "onesignal"}  # no tag of theirs ends a message


@pytest.mark.parametrize("tool", TOOLS)
def test_the_sandbox_sends_a_campaign_rendered_by_the_snippet(
    tool: str, plugin: Plugin, sandbox: Sandbox, url: str, tmp_path: Path
) -> None:
    items = {customer: plugin.content(customer)["items"] for customer in (KNOWN, ODD)}
    _sync(url, tmp_path, {customer: [i["id"] for i in own] for customer, own in items.items()})
    known = {item["id"]: item for own in items.values() for item in own}
    sandbox.put_items({i: {"title": o["name"], "url": o["url"]} for i, o in known.items()})
    sandbox.define_credential(NAME, KEY_HEADER, plugin.key)
    made = make(tool)(Request("for-you", plugin.base_url(tool), otherwise=OTHERWISE))
    feed = made.feed and {**asdict(made.feed), "credential": NAME}
    sandbox.define_campaign(
        "c", template=made.template, cohort_id="seg", dialect=tool, feed=feed, name="C"
    )
    assert sandbox.send("c")["sent"] == 3
    bodies = {message["external_id"]: message["body"] for message in sandbox.outbox("c")}
    for customer, own in items.items():
        shown = re.findall(r"<li>.*?>(.*?)</a></li>", bodies[customer])
        assert [unescape(name) for name in shown] == [item["name"] for item in own]
    assert bodies[UNKNOWN] == OTHERWISE


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("customer", [KNOWN, ODD])
def test_a_customer_is_shown_the_own_items_with_links_and_no_markup_of_theirs(
    tool: str, customer: str, plugin: Plugin
) -> None:
    answer = plugin.content(customer)
    kitchen = Tool(tool, plugin)
    message = kitchen.message(kitchen.snippet(), customer, **kitchen.knows(answer["items"]))
    assert message.state == "sent", message.reason
    assert message.body.count("<li>") == 3
    assert "<img" not in message.body
    for item in answer["items"]:
        assert f">{item['id']} &lt;img" in message.body
        assert f'href="{item["url"]}"' in message.body


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
def test_the_plugin_is_asked_about_exactly_this_customer(tool: str, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    kitchen.message(kitchen.snippet(), ODD)
    assert asked_customers(plugin) == [ODD]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_key_stands_in_no_address_template_or_log(tool: str, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    made = kitchen.snippet(campaign="spring")
    kitchen.message(made, KNOWN)
    assert plugin.asked
    assert plugin.key not in f"{plugin.asked} {kitchen.observed} {made}"
    assert KNOWN not in str(kitchen.observed)


@pytest.mark.parametrize("tool", TOOLS)
def test_whom_nobody_knows_reads_what_is_said_otherwise(tool: str, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    assert kitchen.message(kitchen.snippet(otherwise=OTHERWISE), UNKNOWN).body == OTHERWISE


@pytest.mark.parametrize("tool", TOOLS)
def test_whom_nobody_knows_gets_no_message_or_best_sellers(tool: str, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    message = kitchen.message(kitchen.snippet(), UNKNOWN)
    if tool in CANNOT_STOP:
        assert "Popular right now" in message.body
    else:
        assert message.state != "sent"


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
def test_without_the_plugin_the_other_text_is_shown_where_the_tool_goes_on(tool: str) -> None:
    kitchen = Tool(tool)
    message = kitchen.message(kitchen.snippet(otherwise=OTHERWISE), KNOWN)
    if tool in SKIPS_A_LOST_ANSWER:
        assert (message.state, message.body) == ("aborted", "")
    else:
        assert (message.state, message.body) == ("sent", OTHERWISE)


@pytest.mark.parametrize("tool", TOOLS)
def test_without_the_plugin_and_another_text_nothing_is_sent(tool: str) -> None:
    kitchen = Tool(tool)
    message = kitchen.message(kitchen.snippet(), KNOWN)
    assert (message.state != "sent", message.body) == (True, "")
    assert message.reason


def test_klaviyos_own_items_need_no_plugin_at_send_time(plugin: Plugin) -> None:
    kitchen = Tool("klaviyo")
    made = kitchen.snippet(otherwise=OTHERWISE)
    own = kitchen.knows(plugin.content(KNOWN)["items"])
    assert made.feed is None
    assert kitchen.message(made, KNOWN, **own).body.count("<li>") == 3


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    "answer", [{"ok": False}, {}, {"ok": True, "fallback": True, "send": True}]
)
def test_an_answer_that_is_not_ok_counts_as_none(tool: str, answer: dict[str, Any]) -> None:
    app = Flask("plugin")
    app.add_url_rule("/v1/content/related", "related", lambda: answer)
    kitchen = Tool(tool)
    with serving(app) as url:
        made = kitchen.snippet("related", base_url=url, item="i1", otherwise=OTHERWISE)
        assert kitchen.message(made, KNOWN).body == OTHERWISE


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", ["related", "bought-together"])
def test_items_beside_an_item_are_shown(tool: str, kind: str, plugin: Plugin) -> None:
    names = [i["name"] for i in plugin.content(KNOWN, kind, item="item-03")["items"]]
    kitchen = Tool(tool, plugin)
    message = kitchen.message(kitchen.snippet(kind, item="item-03", html=False), KNOWN)
    assert [name for name in names if f"• {name}\n" in message.body + "\n"] == names


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "landing"])
@pytest.mark.parametrize("html", [True, False])
def test_every_kind_shows_what_is_answered_in_html_and_in_text(
    tool: str, kind: str, html: bool, busy: Plugin
) -> None:
    asked = {"related": {"item": "item-03"}, "bought-together": {"item": "item-03"},
             "rank": {"items": "item-05,item-01"}}.get(kind, {})  # fmt: skip
    answer = busy.content(KNOWN, kind, **asked)
    assert answer["reason"] is None
    names = [each["name"] for each in answer[Request(kind, NOWHERE, **asked).shown]]
    kitchen = Tool(tool, busy)
    message = kitchen.message(kitchen.snippet(kind, html=html, **asked), KNOWN)
    assert message.state == "sent", message.reason
    shown = re.findall(r"<li>.*?>(.*?)</a>" if html else r"• (.*?\d+) ?[<\n(]", message.body + "\n")
    assert [re.match(r"[\w-]+", unescape(name))[0] for name in shown] == [
        re.match(r"[\w-]+", name)[0] for name in names
    ]


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
def test_the_cart_says_what_changed(tool: str, busy: Plugin) -> None:
    kitchen = Tool(tool, busy)
    body = kitchen.message(kitchen.snippet("cart", html=False), KNOWN).body
    assert body.startswith("Still in your cart\n• item-06")
    assert "(only a few left)" in body
    assert "(cheaper now)" in body


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "klaviyo"])
@pytest.mark.parametrize("html", [True, False])
def test_the_landing_link_is_the_customers_own(tool: str, html: bool, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    message = kitchen.message(kitchen.snippet("landing", campaign="spring", html=html), KNOWN)
    channel = {"channel": "email"} if html else {}
    link = plugin.content(KNOWN, campaign="spring", limit=1, **channel)["landing_url"]
    assert message.body == (f'<a href="{link}">Your own page</a>' if html else link)


@pytest.mark.parametrize("tool", TOOLS)
def test_plain_text_is_not_escaped(tool: str, plugin: Plugin) -> None:
    items = plugin.content(KNOWN)["items"]
    kitchen = Tool(tool, plugin)
    made = kitchen.snippet(html=False)
    message = kitchen.message(made, KNOWN, **kitchen.knows(items))
    assert message.body.startswith(f"Picked for you\n• {items[0]['name']}\n• ")


@pytest.mark.parametrize("tool", TOOLS)
def test_korean_is_spoken_to_marketer_and_customer(tool: str, plugin: Plugin) -> None:
    kitchen = Tool(tool, plugin)
    made = kitchen.snippet(locale="ko")
    own = kitchen.knows(plugin.content(KNOWN)["items"])
    assert "고객님을 위한 추천" in kitchen.message(made, KNOWN, **own).body
    assert "붙여 넣으세요" in made.template
    assert "절대 적지 마세요" in made.template


@pytest.mark.parametrize(
    ("tool", "tag", "attributes"),
    [
        ("braze", "{{custom_attribute.${last_viewed}}}", {"last_viewed": "item-03"}),
        ("iterable", "{{lastViewed}}", {"lastViewed": "item-03"}),
        ("customerio", "{{ customer.last_viewed }}", {"last_viewed": "item-03"}),
        ("onesignal", "{{ last_viewed }}", {"last_viewed": "item-03"}),
        ("moengage", "{{UserAttribute['Last viewed']}}", {"Last viewed": "item-03"}),
        ("clevertap", "{{ Profile.LastViewed }}", {"LastViewed": "item-03"}),
    ],
)
def test_the_item_may_be_a_tag_of_the_tool(
    tool: str, tag: str, attributes: dict[str, str], plugin: Plugin
) -> None:
    kitchen = Tool(tool, plugin)
    message = kitchen.message(kitchen.snippet("related", item=tag), KNOWN, **attributes)
    assert message.state == "sent", message.reason
    assert "item=item-03" in plugin.asked[0]


@pytest.mark.parametrize(
    ("tool", "campaign"), [("braze", "spring 1/2"), ("iterable", "spring 1/2"),
                           ("customerio", "spring 1/2"), ("onesignal", None)],
)  # fmt: skip
def test_the_tools_own_campaign_id_comes_back_in_the_link(
    tool: str, campaign: str | None, plugin: Plugin
) -> None:
    kitchen = Tool(tool, plugin)
    body = kitchen.message(kitchen.snippet("landing", html=False), KNOWN).body
    asked = {} if campaign is None else {"campaign": campaign}
    assert body == plugin.content(KNOWN, limit=1, **asked)["landing_url"]


def test_every_tool_that_pulls_at_send_time_has_a_snippet_and_a_dialect() -> None:
    pulling = {n for n, each in REGISTRY.items() if Ability.SEND_TIME in each.abilities}
    assert pulling == {name for name, each in REGISTRY.items() if each.snippet}
    assert {*TOOLS} & set(REGISTRY) <= set(SNIPPETS) <= {*TOOLS, "sandbox"}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_manual_tells_how_long_each_tool_waits(tool: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "snippets.md").read_text()
    row = re.search(rf"^\| `{tool}` \|[^|]*\| (\d+) s(?:, (\d))?", page, re.MULTILINE)
    kept = getattr(rules, tool.upper())
    assert row is not None
    assert (int(row[1]), int(row[2] or 1)) == (kept.budget_s, kept.attempts)


@pytest.mark.parametrize(
    ("tool", "wanted", "problem"),
    [(tool, {"retry": True}, "cannot ask for it") for tool in TOOLS if tool != "braze"]
    + [
        *(("klaviyo", {"kind": kind}, "personal") for kind in PERSONAL),
        ("klaviyo", {"parameters": (("brand", "{{ x }}"),)}, "same for everybody"),
        ("klaviyo", {"kind": "related", "item": "{{ event.id }}"}, "same for everybody"),
        ("klaviyo", {"campaign": "{{ x }}"}, "same for everybody"),
    ],
)
def test_bad_input_what_a_tool_cannot_do_is_said(
    tool: str, wanted: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SnippetError, match=problem):
        make(tool)(Request(**{"kind": "for-you", "base_url": NOWHERE, **wanted}))


def _sync(url: str, folder: Path, own: dict[str, list[str]]) -> None:
    """The night's attributes and a segment with all of them and one whom nobody knows."""
    attributes = (AttributeSettings(TOP_ITEMS, "top_items", length=3),)
    connection = ConnectionSettings("crm", "sandbox", attributes, {"url": url, "api_key": KEY})
    desired = [(customer, {"top_items": ids}) for customer, ids in own.items()]
    delivery.sync(connection, desired, state_path=folder / "s")
    delivery.push_segment(
        connection, segment_id="seg", name="S", members=[*own, UNKNOWN], state_path=folder / "s"
    )
