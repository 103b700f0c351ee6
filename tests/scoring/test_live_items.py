"""What was said of items reaches the lake's items, and no unknown item becomes one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from scoring import canonical
from scoring.lake import Lake
from scoring.live_items import LiveReport, bring
from scoring.store.live import LiveItem
from tests.scoring.shop import event_table

CATALOGUE = [
    {"item_id": "tea", "name": "Tea", "price": 4.0, "stock": 7},
    {"item_id": "cup", "name": "Cup", "price": 9.0, "stock": 0},
    {"item_id": "pot", "name": "Pot", "price": 30.0},
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path / "lake")
    schema = canonical.schema("items")
    found.upsert("items", pa.Table.from_pylist(CATALOGUE, schema=schema), batch="test")
    return found


def live(**said: Any) -> LiveItem:
    return LiveItem(said.get("stock"), said.get("price"), said.get("sellable"), 1.0)


def items(lake: Lake) -> dict[str, tuple[Any, ...]]:
    """item id → name, price, stock"""
    rows = Lake(lake.folder).items().to_pyarrow().to_pylist()
    return {row["item_id"]: (row["name"], row["price"], row["stock"]) for row in rows}


@pytest.mark.parametrize(
    ("item_id", "said", "expected"),
    [
        ("tea", {"stock": 0}, ("Tea", 4.0, 0)),
        ("tea", {"price": 3.5}, ("Tea", 3.5, 7)),
        ("tea", {"sellable": False}, ("Tea", 4.0, 0)),
        ("tea", {"sellable": False, "stock": 9}, ("Tea", 4.0, 0)),
        ("tea", {"sellable": True}, ("Tea", 4.0, 7)),
        ("cup", {"sellable": True}, ("Cup", 9.0, None)),
        ("cup", {"sellable": True, "stock": 4}, ("Cup", 9.0, 4)),
        ("pot", {"stock": 2, "price": 25.0}, ("Pot", 25.0, 2)),
    ],
)
def test_what_was_said_is_laid_over_the_item(
    lake: Lake, tmp_path: Path, item_id: str, said: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    before = items(lake)
    assert bring({item_id: live(**said)}, tmp_path).unknown == 0
    assert items(lake) == before | {item_id: expected}


def test_the_same_again_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    assert bring({"tea": live(stock=0)}, tmp_path) == LiveReport(1, 0)
    assert bring({"tea": live(stock=0)}, tmp_path) == LiveReport(0, 0)
    assert bring({}, tmp_path) == LiveReport(0, 0)


def test_an_item_that_only_events_name_gets_a_row(lake: Lake, tmp_path: Path) -> None:
    row = {
        "event_id": "1", "occurred_at": datetime(2026, 3, 1, tzinfo=UTC), "identifier": "c",
        "identifier_kind": "external_id", "event_type": "purchase", "item_id": "spoon",
    }  # fmt: skip
    lake.append_events(event_table(row), batch="test")
    assert bring({"spoon": live(stock=0)}, tmp_path) == LiveReport(1, 0)
    assert items(lake)["spoon"] == (None, None, 0)


def test_bad_input_an_item_that_nobody_knows_goes_to_quarantine_once(
    lake: Lake, tmp_path: Path
) -> None:
    before = items(lake)
    for _ in range(2):
        assert bring({"te": live(stock=0), "tea": live(stock=1)}, tmp_path).unknown == 1
    assert set(items(lake)) == set(before)
    (entry,) = (tmp_path / "quarantine" / "live_items.ndjson").read_text().splitlines()
    assert json.loads(entry)["reason"] == "unknown_item"
    assert json.loads(json.loads(entry)["row"])["item_id"] == "te"


def test_bad_input_without_any_catalogue_nothing_becomes_an_item(tmp_path: Path) -> None:
    assert bring({"tea": live(stock=1)}, tmp_path) == LiveReport(0, 1)
    assert items(Lake(tmp_path / "lake")) == {}
