"""Event files of a connector, from the configuration to the lake: each event once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import SCHEMAS, SOURCE_SCHEMAS
from rightsend.event_files import source_types
from scoring.import_report import SourceReport
from scoring.importing import import_sources
from scoring.lake import Lake
from scoring.sources import groups
from settings.load import SettingsError, load
from settings.workspace import WorkspaceSettings
from tests.connectors.braze.currents import AT, content, record, write
from tests.scoring.shop import quarantined

NOW = datetime(2026, 3, 10, tzinfo=UTC)
OPEN = "users.messages.email.Open"
MAIN = "import sys; from tests.rightsend.test_event_files import main; main(sys.argv[1])"
UNUSUAL = {"time": AT + 0.5, "campaign_id": 5, "price": "cheap", "url": True}
YAML = """
workspace: shop
sources:
- {name: braze, type: braze_currents, path: currents, custom_events: {seen: view}}
"""


def shop(folder: Path, text: str = YAML) -> WorkspaceSettings:
    file = folder / "shop.yaml"
    file.write_text(text)
    settings = load(file, connection_schemas=SCHEMAS, source_schemas=SOURCE_SCHEMAS, environ={})
    return settings.workspaces["shop"]


def run(folder: Path) -> SourceReport:
    report = import_sources(shop(folder), folder / "state", now=NOW, types=source_types())
    (source,) = report.sources
    parts = source.rows_added + source.rows_known + source.rows_quarantined.total()
    assert source.rows_read == parts + source.rows_unknown.total()
    return source


def main(folder: str) -> None:
    """What the killed process runs: many small commits."""
    groups.GROUP_ROWS = 1000
    run(Path(folder))


def events(folder: Path) -> list[dict[str, Any]]:
    table = Lake(folder / "state" / "lake").events(before=datetime(2100, 1, 1, tzinfo=UTC))
    return table.order_by("event_id").to_pyarrow().to_pylist()


def test_duplicates_late_and_unknown_events(tmp_path: Path) -> None:
    folder = tmp_path / "currents"
    mail = {"campaign_id": "c1", "timezone": "Asia/Seoul"}
    write(folder, "1", OPEN, [record(1, **mail), record(2, **mail), record(1, **mail)])
    write(folder, "2", OPEN, [record(2, **mail), record(3, time=AT - 40 * 86_400)])
    write(folder, "3", "users.messages.email.Deferral", [record(4), record(5)])
    write(folder, "4", "users.behaviors.CustomEvent", [record(6, name="seen"), record(7, name="x")])
    report = run(tmp_path)
    assert (report.rows_added, report.rows_known, report.error) == (4, 2, None)
    assert report.rows_unknown == {
        "users.messages.email.Deferral": 2, "users.behaviors.CustomEvent": 1,
    }  # fmt: skip
    rows = events(tmp_path)
    assert [row["event_id"] for row in rows] == ["event-1", "event-2", "event-3", "event-6"]
    first = rows[0]
    assert (first["campaign_id"], first["channel"], first["event_type"]) == ("c1", "email", "open")
    assert (first["occurred_at"], first["properties"]) == (
        datetime.fromtimestamp(AT + 1, UTC), '{"timezone":"Asia/Seoul"}',
    )  # fmt: skip


def test_each_file_is_read_once_and_a_new_one_is_found(tmp_path: Path) -> None:
    write(tmp_path / "currents", "1", OPEN, [record(1)])
    assert run(tmp_path).files_read == 1
    write(tmp_path / "currents", "2", OPEN, [record(1), record(2)])
    report = run(tmp_path)
    assert (report.files_skipped, report.files_read) == (1, 1)
    assert (report.rows_added, report.rows_known) == (1, 1)


def test_bad_input_a_truncated_file_is_in_quarantine_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "currents", "1", OPEN, [record(n) for n in range(30)])
    write(tmp_path / "currents", "2", OPEN, [record(100)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    report = run(tmp_path)
    assert report.error is None
    assert report.rows_quarantined == {"broken_file": 1}
    (entry,) = (tmp_path / "state" / "quarantine" / "braze.ndjson").read_text().splitlines()
    assert json.loads(entry)["file"] == str(path)
    before = len(events(tmp_path))
    assert 1 < before < 31
    assert run(tmp_path).files_skipped == 2  # it is not tried again every night
    path.write_bytes(whole)
    run(tmp_path)
    assert len(events(tmp_path)) == 31
    assert quarantined(tmp_path / "state", "braze") == []


def test_bad_input_an_event_without_id_or_time_is_in_quarantine(tmp_path: Path) -> None:
    write(tmp_path / "currents", "1", OPEN, [
        record(1, id=""), record(2, time=-5), record(3, user_id="", external_user_id=None),
        record(4, time=int(NOW.timestamp()) + 10 * 86_400), record(5),
    ])  # fmt: skip
    report = run(tmp_path)
    assert report.rows_added == 1
    assert report.rows_quarantined == {"missing_id": 2, "unparsable_time": 1, "future_time": 1}


def test_bad_input_a_file_that_is_no_avro_costs_the_others_nothing(tmp_path: Path) -> None:
    write(tmp_path / "currents", "1", OPEN, [record(1)])
    (tmp_path / "currents" / "x.avro").write_bytes(b"<html>")
    nameless = content(OPEN, [record(2)]).replace(b'"id"', b'"xx"')
    (tmp_path / "currents" / "y.avro").write_bytes(nameless)
    report = run(tmp_path)
    assert (report.rows_added, report.error) == (1, None)
    assert report.rows_quarantined == {"broken_file": 1, "missing_id": 1}


def test_bad_input_fields_of_other_types_than_brazes(tmp_path: Path) -> None:
    kinds = {"id": "string", "external_user_id": "boolean", "device_id": "string"}
    odd = [{"id": "1", "external_user_id": True, "device_id": "d", **UNUSUAL}]
    fields = kinds | {"time": "double", "campaign_id": "long", "price": "string", "url": "boolean"}
    (tmp_path / "currents").mkdir()
    (tmp_path / "currents" / "odd.avro").write_bytes(content(OPEN, odd, fields))
    timeless = content(OPEN, [{"id": "2", "time": "noon"}], {"id": "string", "time": "string"})
    (tmp_path / "currents" / "timeless.avro").write_bytes(timeless)
    report = run(tmp_path)
    assert (report.rows_added, report.error) == (1, None)
    assert report.rows_quarantined == {"missing_id": 1}
    (row,) = events(tmp_path)
    assert (row["identifier"], row["campaign_id"], row["properties"]) == ("d", None, None)


def test_a_file_that_cannot_be_read_is_tried_again(tmp_path: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / "currents", "1", OPEN, [record(1)])
    write(tmp_path / "currents", "2", OPEN, [record(2)])

    def refused(file: Path) -> bytes:
        if file == path:
            raise PermissionError(13, "Permission denied")
        return original(file)

    original = Path.read_bytes
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refused)
        report = run(tmp_path)
    assert "Permission denied" in str(report.error)
    assert (report.rows_added, report.files_read) == (1, 1)
    assert run(tmp_path).rows_added == 1


@pytest.mark.slow
def test_killed_at_any_moment_every_event_is_there_once(tmp_path: Path) -> None:
    for number in range(12):
        records = [record(500 * number + n) for n in range(550)]  # the last 50 come twice
        write(tmp_path / "currents", str(number), OPEN, records)
    state = tmp_path / "state"
    for more in (1, 3, 4):
        process = subprocess.Popen([sys.executable, "-c", MAIN, str(tmp_path)])
        enough = len(list(state.rglob("*.parquet"))) + more
        deadline = time.monotonic() + 120
        while process.poll() is None and len(list(state.rglob("*.parquet"))) < enough:
            assert time.monotonic() < deadline
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    run(tmp_path)
    assert [row["event_id"] for row in events(tmp_path)] == sorted(
        f"event-{number}" for number in range(6050)
    )


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("type: braze_currents", "path", "a value for path"),
        ("type: braze_currents, path: x, table: events", "table", "one of: "),
        ("type: braze_currents, path: x, custom_events: {a: sneeze}", "custom_events", ""),
        ("type: braze_curents, path: x", "type", "did you mean braze_currents?"),
    ],
)
def test_bad_input_a_source_of_event_files(
    tmp_path: Path, text: str, key: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        shop(tmp_path, f"workspace: shop\nsources:\n- {{name: braze, {text}}}\n")
    problems = {problem.key.split(".")[1]: problem.expected for problem in raised.value.problems}
    assert expected in problems[key]


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    report = run(tmp_path)
    assert "source braze" in str(report.error)
    assert "currents: no such file or folder" in str(report.error)
