"""The benchmark's files are what it says that they are."""

from __future__ import annotations

from pathlib import Path

from benchmarks import currents


def test_a_small_export_is_imported_once(tmp_path: Path) -> None:
    made = currents.make(tmp_path / "currents", 2000)
    report = currents.imported(tmp_path / "currents", tmp_path / "state")
    unknown = sum(made[kind] for kind in currents.UNKNOWN)
    assert report["rows_added"] == sum(made.values()) - unknown
    assert sum(report["rows_unknown"].values()) == unknown == 200
    assert report["rows_known"] == 1800 - report["rows_added"] > 0
    assert currents.imported(tmp_path / "currents", tmp_path / "state")["files_read"] == 0
