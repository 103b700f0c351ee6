"""User attributes as files for Cloud Data Ingestion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import marshmallow
import pytest

from connectors import delivery
from connectors.braze.options import BrazeOptions
from connectors.delivery import Stop, SyncReport
from tests.connectors.braze.conftest import Braze


@pytest.fixture
def filing(braze: Braze) -> Braze:
    folder = str(braze.folder / "cdi")
    return braze.having(attributes_as="cdi", cdi_folder=folder, update_existing_only=True)


def files(braze: Braze) -> list[Path]:
    return sorted((braze.folder / "cdi").glob("*"))


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """External id → payload."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(set(line) == {"external_id", "payload"} for line in lines)
    return {line["external_id"]: json.loads(line["payload"]) for line in lines}


def sync(braze: Braze, scores: dict[str, float]) -> SyncReport:
    desired = [(customer, {"purchase_probability": p}) for customer, p in scores.items()]
    return delivery.sync(braze.connection, desired, **braze.options())


def test_changes_go_into_a_file_and_nowhere_else(filing: Braze) -> None:
    report = sync(filing, {"c1": 0.5, "c2": 0.25, "device_id:9": 0.1})
    (file,) = files(filing)
    assert rows(file) == {
        "c1": {"rs_probability": 0.5, "_update_existing_only": True},
        "c2": {"rs_probability": 0.25, "_update_existing_only": True},
    }
    assert (report.accepted, report.unaddressable) == (2, 1)
    assert filing.tool.held() == {}


def test_the_next_file_holds_only_what_changed(filing: Braze) -> None:
    sync(filing, {"c1": 0.5, "c2": 0.25})
    (first,) = files(filing)
    sync(filing, {"c1": 0.9})
    (second,) = set(files(filing)) - {first}
    assert {each: row["rs_probability"] for each, row in rows(second).items()} == {
        "c1": 0.9, "c2": None,
    }  # fmt: skip
    sync(filing, {"c1": 0.9})
    assert len(files(filing)) == 2


def test_many_changes_are_cut_into_files_that_are_read_fast(filing: Braze) -> None:
    sync(filing, {f"c{n}": 0.5 for n in range(11_000)})
    counts = sorted(len(rows(file)) for file in files(filing))
    assert counts == [1_000, 5_000, 5_000]


def test_a_file_that_could_not_be_written_is_written_by_the_next_sync(filing: Braze) -> None:
    folder = filing.folder / "cdi"
    folder.write_text("in the way")
    with pytest.raises(Stop, match="cannot be written"):
        sync(filing, {"c1": 0.5})
    folder.unlink()
    sync(filing, {"c1": 0.5})
    assert [list(rows(file)) for file in files(filing)] == [["c1"]]


def test_bad_input_files_without_a_folder_are_refused() -> None:
    given = {"instance": "iad-01", "api_key": "k", "attributes_as": "cdi"}
    for folder in ({}, {"cdi_folder": None}, {"cdi_folder": "relative/path"}):
        with pytest.raises(marshmallow.ValidationError) as refused:
            BrazeOptions().load({**given, **folder})
        assert "cdi_folder" in refused.value.messages
