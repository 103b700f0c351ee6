"""Braze's events become ours, the same from files and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.braze import currents
from connectors.braze.currents import EVENT_FILES, FilesOptions, read
from connectors.inbound import BadBody, Unreadable
from settings.vocabulary import EVENT_TYPES
from tests.connectors.braze.currents import AT, COMMON, content, over_http, record, write

OPTIONS = {"custom_events": {"seen": "view"}, "item_property": "sku"}
CAMPAIGN = {"campaign_id": "c1", "send_id": "s1", "timezone": "Asia/Seoul"}
# type · fields · event type · campaign · channel
MEANINGS: list[tuple[str, dict[str, Any], str, str | None, str | None]] = [
    ("users.messages.email.Send", CAMPAIGN, "message_sent", "c1", "email"),
    ("users.messages.email.Delivery", CAMPAIGN, "delivered", "c1", "email"),
    ("users.messages.email.Open", CAMPAIGN | {"machine_open": "true"}, "open", "c1", "email"),
    ("users.messages.email.Click", CAMPAIGN | {"url": 'https://x/"ü'}, "click", "c1", "email"),
    ("users.messages.email.SoftBounce", CAMPAIGN, "bounce", "c1", "email"),
    ("users.messages.email.Unsubscribe", CAMPAIGN, "unsubscribe", "c1", "email"),
    ("users.messages.pushnotification.Open", {"canvas_id": "v1"}, "open", "v1", "push"),
    ("users.messages.inappmessage.Impression", CAMPAIGN, "open", "c1", "in_app"),
    ("users.messages.contentcard.Click", CAMPAIGN, "click", "c1", "content_card"),
    ("users.messages.sms.ShortLinkClick", CAMPAIGN, "click", "c1", "sms"),
    ("users.messages.whatsapp.Read", CAMPAIGN, "open", "c1", "whatsapp"),
    ("users.messages.webhook.Send", CAMPAIGN, "message_sent", "c1", "webhook"),
    ("users.campaigns.Conversion", CAMPAIGN, "conversion", "c1", None),
    ("users.canvas.Conversion", {"canvas_id": "v1"}, "conversion", "v1", None),
    ("users.campaigns.EnrollInControl", CAMPAIGN, "control", "c1", None),
    ("users.canvas.Entry", {"canvas_id": "v1", "in_control_group": True}, "control", "v1", None),
    ("users.behaviors.subscription.GlobalStateChange",
     {"subscription_status": "Unsubscribed", "channel": "email"}, "unsubscribe", None, "email"),
    ("users.behaviors.app.SessionStart", {"platform": "ios"}, "app_open", None, "app"),
    ("users.behaviors.Purchase", {"product_id": "tea", "price": 3.14, "platform": "web"},
     "purchase", None, "web"),
    ("users.behaviors.CustomEvent", {"name": "seen", "properties": '{"sku": "tea", "n": [1]}'},
     "view", None, "app"),
]  # fmt: skip
NO_EVENT = [
    ("users.messages.email.Deferral", {}),
    ("users.messages.telepathy.Send", {}),
    ("users.canvas.Entry", {"in_control_group": False}),
    ("users.behaviors.subscription.GlobalStateChange", {"subscription_status": "Subscribed"}),
    ("users.behaviors.CustomEvent", {"name": "sneezed"}),
]


def from_files(folder: Path, **options: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Events as rows, and counts by unknown word."""
    rows: list[dict[str, Any]] = []
    unknown: dict[str, int] = {}
    for file in EVENT_FILES.open(OPTIONS | {"path": "."} | options, folder):
        for batch in file.batches():
            assert batch.broken is None
            columns = [
                list(each) if isinstance(each, list) else each.to_pylist()
                for each in batch.columns.values()
            ]
            rows += [dict(zip(batch.columns, r, strict=True)) for r in zip(*columns, strict=True)]
            for word, count in batch.unknown.items():
                unknown[word] = unknown.get(word, 0) + count
    return rows, unknown


def comparable(event: dict[str, Any], *, http: bool) -> dict[str, Any]:
    known = {name: value for name, value in event.items() if value not in (None, {})}
    if http:
        known["occurred_at"] = int(known["occurred_at"].timestamp())
        if "properties" in known:
            known["properties"] = orjson.dumps(known["properties"], option=orjson.OPT_SORT_KEYS)
    elif "properties" in known:
        known["properties"] = known["properties"].encode()
    return known


@pytest.mark.parametrize(("kind", "fields", "word", "campaign", "channel"), MEANINGS)
def test_an_event_is_the_same_from_a_file_and_over_http(
    tmp_path: Path,
    kind: str,
    fields: dict[str, Any],
    word: str,
    campaign: str | None,
    channel: str | None,
) -> None:
    flat = record(1, **fields)
    write(tmp_path, "a", kind, [flat])
    (filed,), _ = from_files(tmp_path)
    nested = over_http(kind, flat)
    if "properties" in fields:
        own = json.loads(nested["properties"].pop("properties"))
        nested["properties"]["custom_properties"] = own
    told = read(orjson.dumps({"events": [nested]}), {}, OPTIONS)
    (sent,) = told.events
    assert comparable(filed, http=False) == comparable(sent, http=True)
    assert (filed["event_type"], filed["campaign_id"], filed["channel"]) == (
        word, campaign, channel,
    )  # fmt: skip
    assert (filed["event_id"], filed["identifier"], filed["occurred_at"]) == (
        "event-1", "kim", AT + 1,
    )  # fmt: skip
    assert word in EVENT_TYPES


def test_what_was_bought_and_seen(tmp_path: Path) -> None:
    write(tmp_path, "a", "users.behaviors.Purchase", [record(1, product_id="tea", price=3.14)])
    write(tmp_path, "b", "users.behaviors.CustomEvent", [
        record(2, name="seen", properties='{"sku": 17}'), record(3, name="seen", properties="{"),
        record(4, name="sneezed"),
    ])  # fmt: skip
    rows, unknown = from_files(tmp_path)
    assert sorted((r["event_id"], r["item_id"], r["unit_price"]) for r in rows) == [
        ("event-1", "tea", 3.14), ("event-2", "17", None), ("event-3", None, None),
    ]  # fmt: skip
    assert unknown == {"users.behaviors.CustomEvent": 1}


@pytest.mark.parametrize(("kind", "fields"), NO_EVENT)
def test_what_has_no_event_type_is_counted(
    tmp_path: Path, kind: str, fields: dict[str, Any]
) -> None:
    flat = record(1, **fields)
    write(tmp_path, "a", kind, [flat, flat])
    assert from_files(tmp_path) == ([], {kind: 2})
    told = read(orjson.dumps([over_http(kind, flat)] * 2), {}, OPTIONS)
    assert (told.events, told.unknown) == ([], {kind: 2})


def test_an_anonymous_profile_is_known_by_device_or_by_brazes_id(tmp_path: Path) -> None:
    people = [record(1, external_user_id=""), record(2, external_user_id=None, device_id="d")]
    write(tmp_path, "a", "users.messages.sms.Send", people)
    rows, _ = from_files(tmp_path)
    assert [(row["identifier_kind"], row["identifier"]) for row in rows] == [
        ("alias", "braze:braze-1"), ("device_id", "d"),
    ]  # fmt: skip
    told = read(
        orjson.dumps([over_http("users.messages.sms.Send", p) for p in people]), {}, OPTIONS
    )
    assert [(e["identifier_kind"], e["identifier"]) for e in told.events] == [
        ("alias", "braze:braze-1"), ("device_id", "d"),
    ]  # fmt: skip


def test_addresses_are_not_kept(tmp_path: Path) -> None:
    flat = record(1, email_address="kim@shop.example", **CAMPAIGN)
    write(tmp_path, "a", "users.messages.email.Open", [flat])
    (row,), _ = from_files(tmp_path)
    assert json.loads(row["properties"]) == {"send_id": "s1", "timezone": "Asia/Seoul"}


def test_the_schema_may_lack_fields_and_have_others(tmp_path: Path) -> None:
    kind = "users.messages.email.Open"
    newer = {
        **COMMON,
        "time": "long",
        "campaign_id": ["null", "long"],
        "colour": ["null", "string"],
    }
    older = content(kind, [record(1)], COMMON)
    (tmp_path / "old.avro").write_bytes(older)
    (tmp_path / "new.avro").write_bytes(content(kind, [record(2, colour="red")], newer))
    rows, _ = from_files(tmp_path)
    assert sorted((r["event_id"], r["occurred_at"], r["campaign_id"]) for r in rows) == [
        ("event-1", AT + 1, None), ("event-2", AT + 2, None),
    ]  # fmt: skip
    assert {row["event_type"] for row in rows} == {"open"}  # by the schema's name


@pytest.mark.parametrize("path", ["event_type=*", "event_type=*/**/*.avro", "."])
def test_a_folder_or_a_glob_of_files(tmp_path: Path, path: str) -> None:
    write(tmp_path, "a", "users.messages.email.Open", [record(1)])
    write(tmp_path, "b", "users.messages.email.Click", [record(2)])
    (tmp_path / "README").write_text("not an event")
    rows, _ = from_files(tmp_path, path=path)
    assert {row["event_id"] for row in rows} == {"event-1", "event-2"}


def test_bad_input_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="nowhere: no such file or folder"):
        from_files(tmp_path, path="nowhere")


@pytest.mark.parametrize(
    "options",
    [{}, {"path": ""}, {"path": "x", "custom_events": {"a": "sneeze"}}, {"path": "x", "colour": 1}],
)
def test_bad_input_options_of_a_source(options: dict[str, Any]) -> None:
    assert FilesOptions().validate(options)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event_type": 7},
        {"event_type": "users.messages.email.Open"},
        {"event_type": "users.messages.email.Open", "id": "1", "time": "noon", "user": []},
        {"event_type": "users.messages.email.Open", "id": ["1"], "time": 1, "properties": "x"},
        {"event_type": "users.messages.email.Open", "id": None, "time": 1e300, "user": {"a": {}}},
    ],
)
def test_bad_input_an_event_without_what_makes_it_one(event: dict[str, Any]) -> None:
    told = read(
        orjson.dumps([event, over_http("users.messages.email.Open", record(1))]), {}, OPTIONS
    )
    assert (told.malformed, len(told.events)) == (1, 1)


def test_bad_input_a_body_that_is_none_of_brazes() -> None:
    with pytest.raises(BadBody):
        read(b"<html>", {}, OPTIONS)


def test_the_page_about_events_names_every_word() -> None:
    page = (Path(currents.__file__).parents[2] / "docs" / "events.md").read_text()
    for what in currents._OF_MESSAGES:
        assert f".{what}`" in page
    for kind in (*currents._OF_CAMPAIGNS, *currents._BY_FIELD):
        assert f"`{kind}`" in page or ".behaviors.subscription" in kind
    for channel in currents.CHANNELS.values():
        assert channel in page
