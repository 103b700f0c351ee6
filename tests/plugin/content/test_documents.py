"""docs/content.md and the API's description tell of everything that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import marshmallow as ma
import pytest

from connectors.snippets import KINDS as SNIPPET_KINDS
from connectors.snippets import LANDING
from plugin.content.asked import REASONS
from plugin.content.defaults import AHEAD_DAYS, BACK_DAYS, CART_DAYS, LEAST_DROP, LOW_STOCK
from plugin.content.examples import answer
from plugin.content.kinds import KINDS
from plugin.content.policy import SEND_REASONS
from plugin.content.session import WEIGHTS
from scoring.store import extras
from settings.memory import BACK_DAYS as BACK_DAYS_KEPT
from settings.memory import (
    DUE_AHEAD_DAYS,
    MOST_DUE,
    MOST_SENT,
    MOST_WATCHED,
    NEW_DAYS,
    SENT_DAYS,
    WATCHED_DAYS,
)

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "content.md").read_text()
API = json.loads((DOCS / "openapi.json").read_bytes())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_of_with_a_call(kind) -> None:
    assert f"GET /v1/content/{kind}?" in PAGE or kind == "categories"
    assert f"[{kind}](#" in PAGE


@pytest.mark.parametrize("word", [*REASONS, *SEND_REASONS])
def test_every_reason_is_told_of(word) -> None:
    assert f"| `{word}` |" in PAGE


def test_every_filter_is_told_of() -> None:
    names = {field.data_key or name for name, field in KINDS["for-you"].arguments().fields.items()}
    told = set(re.findall(r"`([a-z_]+)`", PAGE)) | set(re.findall(r"([a-z_]+)=", PAGE))
    assert names - {"limit"} <= told


def test_examples_in_the_manual_are_those_of_the_api() -> None:
    for block in re.findall(
        r"GET /v1/content/([a-z-]+)\?[^`]*```\n\n```json\n(.*?)```", PAGE, re.S
    ):
        kind, document = block[0], json.loads(block[1])
        whole = answer(kind)
        assert all(whole[name] == document[name] for name in document if name != "items"), kind
        for shown, item in zip(document.get("items", []), whole["items"], strict=False):
            assert shown.items() <= item.items(), kind


def test_defaults_in_the_manual_are_those_of_the_code() -> None:
    for told in (
        f"`within_days` ({CART_DAYS})",
        f"`low_stock` ({LOW_STOCK})",
        f"`within_days` ({BACK_DAYS})",
        f"`min_drop` ({LEAST_DROP:g})",
        f"Due within `within_days` ({AHEAD_DAYS})",
    ):
        assert told in PAGE
    assert WEIGHTS.half_life_s == 3 * 3600
    assert "in three hours" in PAGE


def test_what_the_night_keeps_is_told_as_it_is() -> None:
    for told in (
        f"the newest {MOST_WATCHED} items looked at, carted or asked about in {WATCHED_DAYS} days",
        f"the {MOST_DUE} most probable of the items due within {DUE_AHEAD_DAYS} days",
        f"the newest {MOST_SENT} messages of {SENT_DAYS} days",
        f"`within_days` ({AHEAD_DAYS}), at most {DUE_AHEAD_DAYS}",
    ):
        assert told in PAGE
    assert (extras.MOST_DUE, extras.MOST_WATCHED, extras.MOST_SENT) == (
        MOST_DUE, MOST_WATCHED, MOST_SENT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "most"),
    [("replenishment", DUE_AHEAD_DAYS), ("cart", WATCHED_DAYS), ("back-in-stock", BACK_DAYS_KEPT),
     ("new-arrivals", NEW_DAYS)],
)  # fmt: skip
def test_no_call_may_ask_for_more_days_than_the_night_keeps(kind, most) -> None:
    schema = KINDS[kind].arguments()
    assert schema.load({"within_days": most})["within_days"] == most
    with pytest.raises(ma.ValidationError):
        schema.load({"within_days": most + 1})
    described = API["components"]["schemas"][KINDS[kind].arguments.__name__.removesuffix("Schema")]
    assert described["properties"]["within_days"]["maximum"] == most


@pytest.mark.parametrize("name", ["brand", "exclude", "boost", "items"])
def test_lists_are_lists_in_a_body_and_one_text_in_a_query(name) -> None:
    body = API["components"]["schemas"]["RankArguments"]["properties"][name]
    assert [each["type"] for each in body["oneOf"]] == ["string", "array"]
    assert "type" not in body
    parameters = API["paths"]["/v1/content/rank"]["get"]["parameters"]
    (query,) = (each["schema"] for each in parameters if each["name"] == name)
    assert query["type"] == "string"
    assert "oneOf" not in query


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_api_describes_each_parameter_with_an_example(kind, method) -> None:
    operation = API["paths"][f"/v1/content/{kind}"][method]
    assert operation["summary"]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            assert parameter["description"], parameter
            assert "example" in parameter["schema"], parameter


def test_every_kind_has_a_snippet() -> None:
    assert {*SNIPPET_KINDS} == {*KINDS, LANDING}
