"""docs/content.md and the API's description tell of everything that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connectors.snippets import KINDS as SNIPPET_KINDS
from connectors.snippets import LANDING
from plugin.content.asked import REASONS
from plugin.content.defaults import AHEAD_DAYS, BACK_DAYS, CART_DAYS, LEAST_DROP, LOW_STOCK
from plugin.content.examples import answer
from plugin.content.kinds import KINDS
from plugin.content.policy import SEND_REASONS
from plugin.content.session import WEIGHTS

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
