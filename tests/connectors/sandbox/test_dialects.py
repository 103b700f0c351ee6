"""Campaigns in a tool's own language, and the feed that is set up beside the template."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from connectors import delivery
from connectors.sandbox import rules
from connectors.sandbox.client import Sandbox, SandboxError
from connectors.sandbox.feeds import Feed
from connectors.sandbox.language import TemplateError
from connectors.sandbox.storage import Storage
from settings.workspace import ConnectionSettings
from tests.connectors.doubles import KEY, FakeTime
from tests.connectors.sandbox.conftest import Content, Kitchen

PEOPLE = {
    "braze": "{{${user_id}}} {{${first_name}}} {{custom_attribute.${n}}} {{campaign.${api_id}}}",
    "iterable": "{{{userId}}} {{first_name}} {{n}} {{campaignId}}",
    "klaviyo": "{{ external_id|safe }} {{ first_name }} {{ person|lookup:'n' }} camp-1",
    "customerio": "{{customer.id}} {{customer.first_name}} {{customer.n}} {{campaign.id}}",
    "onesignal": "{{subscription.external_id}} {{subscription.first_name}} {{n}} camp-1",
    "moengage": "{{UserAttribute['ID']}} {{UserAttribute.first_name}} {{UserAttribute.n}} camp-1",
    "clevertap": "{{Profile.Identity}} {{Profile.first_name}} {{Profile.n}} camp-1",
}
ANSWER = {
    "iterable": "[[shop.name]]",
    "klaviyo": "{{ feeds.shop.name }}",
    "customerio": "{{ journey.shop.name }}",
    "onesignal": "{{ data_feed.shop.name }}",
    "moengage": "{{ ContentApi.shop().name }}",
    "clevertap": "{{ Linked.shop.name }}",
}
PROFILE = {"external_id": "c&1", "first_name": "Ann", "custom_attributes": {"n": 7}}


def shown(kitchen: Kitchen, dialect: str, template: str, feed: Feed | None = None) -> Any:
    return kitchen.renderer.render(
        kitchen.renderer.parse(template, dialect, feed),
        profile=PROFILE,
        campaign={"api_id": "camp-1", "name": "Spring"},
        properties={},
    )


@pytest.mark.parametrize("dialect", PEOPLE)
def test_a_person_is_known_by_the_tools_names(dialect: str, kitchen: Kitchen) -> None:
    assert shown(kitchen, dialect, PEOPLE[dialect]).body == "c&1 Ann 7 camp-1"


@pytest.mark.parametrize("dialect", ANSWER)
def test_a_feed_is_asked_with_its_parameters_and_its_header(
    dialect: str, kitchen: Kitchen, content: Content
) -> None:
    feed = Feed("shop", f"{content.url}/json", {"customer": "a b&c"}, "shop")
    assert shown(kitchen, dialect, ANSWER[dialect], feed).body == "Milk"
    asked = content.asked[0]
    assert asked["args"] == {"customer": "a b&c"}
    assert asked["headers"]["user-agent"].lower().startswith(dialect[:5])
    assert asked["headers"].get("user") == (None if dialect == "klaviyo" else "password")


@pytest.mark.parametrize(
    ("dialect", "state", "attempts"),
    [("iterable", "aborted", 5), ("klaviyo", "aborted", 1), ("customerio", "sent", 1),
     ("onesignal", "aborted", 1), ("moengage", "sent", 4), ("clevertap", "sent", 1)],
)  # fmt: skip
def test_a_failed_feed_ends_as_the_tool_has_it(
    dialect: str, state: str, attempts: int, kitchen: Kitchen, content: Content
) -> None:
    message = shown(kitchen, dialect, "on", Feed("shop", f"{content.url}/status/500"))
    assert (message.state, len(content.asked)) == (state, attempts)
    if state == "aborted":
        assert message.reason == "feed shop: HTTP 500"


def test_klaviyos_feed_is_fetched_once_for_everybody(
    kitchen: Kitchen, content: Content, time: FakeTime
) -> None:
    feed = Feed("shop", f"{content.url}/json")
    for _ in range(3):
        shown(kitchen, "klaviyo", ANSWER["klaviyo"], feed)
    assert len(content.asked) == 1
    time.now_s += rules.KLAVIYO.cache_s + 1
    shown(kitchen, "klaviyo", ANSWER["klaviyo"], feed)
    assert len(content.asked) == 2


def test_a_missing_value_fails_a_message_of_customerio_only_where_it_is_printed(
    kitchen: Kitchen,
) -> None:
    guarded = "{% if customer.nobody != blank and customer.nobody.x == 1 %}x{% endif %}on"
    assert shown(kitchen, "customerio", guarded).body == "on"
    assert shown(kitchen, "customerio", "{{ customer.nobody }}on").state == "failed"


def test_clevertaps_abort_leaves_the_person_out(kitchen: Kitchen) -> None:
    message = shown(kitchen, "clevertap", "{% if Profile.n > 5 %}{% abort %}{% endif %}x")
    assert (message.state, message.reason) == ("aborted", "aborted without a reason")


def test_an_answer_that_is_no_object_is_as_none(kitchen: Kitchen, content: Content) -> None:
    for path in ("text", "list"):
        feed = Feed("shop", f"{content.url}/{path}")
        assert shown(kitchen, "iterable", "[[#if shop.name]]x[[else]]none[[/if]]", feed).body == (
            "none"
        )


def test_a_sandbox_of_before_goes_on_with_its_campaigns(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "sandbox.sqlite") as old:
        old.execute(
            "CREATE TABLE campaign(campaign_id TEXT PRIMARY KEY, name TEXT NOT NULL,"
            " template TEXT NOT NULL, cohort_id TEXT, created_at TEXT NOT NULL)"
        )
        old.execute("INSERT INTO campaign VALUES ('c', 'C', 'Hi', 'seg', '2026')")
    old.close()
    storage = Storage(tmp_path)
    found = storage.row("SELECT * FROM campaign")
    assert found is not None
    assert (found["template"], found["dialect"], found["feed"]) == ("Hi", "braze", None)
    storage.close()


def test_the_language_and_the_feed_of_a_campaign_are_kept(
    sandbox: Sandbox, url: str, content: Content, tmp_path: Path
) -> None:
    connection = ConnectionSettings("crm", "sandbox", (), {"url": url, "api_key": KEY})
    delivery.push_segment(
        connection, segment_id="seg", name="S", members=["a"], state_path=tmp_path / "s"
    )
    feed = {"name": "shop", "url": f"{content.url}/json?customer={{{{userId}}}}"}
    sandbox.define_campaign(
        "c", template="[[shop.customer]] {{userId}}", cohort_id="seg", dialect="iterable",
        feed=feed,
    )  # fmt: skip
    sandbox.send("c")
    assert sandbox.outbox("c")[0]["body"] == "a a"


@pytest.mark.parametrize(
    ("language", "problem"),
    [({"dialect": "telex"}, "'telex' is unknown; known are braze, iterable"),
     ({"dialect": 7}, "'dialect' must be a text"), ({"feed": "x"}, "'feed' must have"),
     ({"feed": {"name": "x"}}, "'feed' must have"),
     ({"feed": {"name": "x", "url": "u", "parameters": {"a": 1}}}, "'feed' must have"),
     ({"feed": {"name": "x", "url": "{% if %}"}}, "template: ")],
)  # fmt: skip
def test_bad_input_a_language_or_feed_that_cannot_be_is_refused(
    sandbox: Sandbox, language: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SandboxError, match=problem):
        sandbox.define_campaign("c", template="x", **language)


def test_bad_input_a_feed_without_its_credential_fails_with_a_reason(kitchen: Kitchen) -> None:
    message = shown(kitchen, "iterable", "x", Feed("shop", "http://127.0.0.1:9", {}, "nobody"))
    assert (message.state, message.reason) == ("failed", "there is no credential named nobody")


def test_bad_input_a_feeds_address_is_read_as_template_too(kitchen: Kitchen) -> None:
    with pytest.raises(TemplateError):
        kitchen.renderer.parse("x", "iterable", Feed("shop", "http://x/{{#if y}}"))
