"""Whole imports into an empty lake: read, map, check, compare with what is known, write.

    python -m benchmarks.importing [--runs 3]

The rows are the 1,469,307 purchases of The Complete Journey, as the package's Parquet file and as a
CSV of them. The rival does with pandas what one would write by hand: read, map, drop duplicates,
write Parquet by day; it checks nothing, quarantines nothing and cannot be stopped half way.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
from tqdm import tqdm

from scoring.importing import import_sources
from scoring.sources.completejourney import data_file
from settings.workspace import ColumnMapping, SourceSettings, WorkspaceSettings

NOW = datetime(2019, 1, 1, tzinfo=UTC)
COLUMNS = {
    "event_id": ColumnMapping(join=("basket_id", "product_id")),
    "occurred_at": ColumnMapping(column="transaction_timestamp"),
    "identifier": ColumnMapping(column="household_id"),
    "event_type": ColumnMapping(value="purchase"),
    "item_id": ColumnMapping(column="product_id"),
    "quantity": ColumnMapping(column="quantity"),
    "unit_price": ColumnMapping(divide=("sales_value", "quantity")),
    "channel": ColumnMapping(value="store"),
}


def ours(path: Path, folder: Path) -> int:
    """Import one file into a new lake; returns the rows added."""
    source = SourceSettings("purchases", "file", "events", COLUMNS, path=str(path))
    workspace = WorkspaceSettings("benchmark", folder / "benchmark.yaml", (source,))
    report = import_sources(workspace, folder / "state", now=NOW).sources[0]
    if report.error or report.rows_quarantined:
        raise RuntimeError(f"not a clean import: {report.to_json()}")
    return report.rows_added


def rival(path: Path, folder: Path) -> int:
    """The same table with pandas; returns the rows written."""
    import pandas

    raw = pandas.read_csv(path) if path.suffix == ".csv" else pandas.read_parquet(path)
    occurred_at = pandas.to_datetime(raw["transaction_timestamp"]).dt.tz_localize("UTC")
    events = pandas.DataFrame(
        {
            "event_id": raw["basket_id"].astype(str) + "-" + raw["product_id"].astype(str),
            "occurred_at": occurred_at,
            "identifier": raw["household_id"].astype(str),
            "event_type": "purchase",
            "item_id": raw["product_id"].astype(str),
            "quantity": raw["quantity"].astype(float),
            "unit_price": raw["sales_value"] / raw["quantity"].where(raw["quantity"] != 0),
            "channel": "store",
            "day": occurred_at.dt.date.astype(str),
        }
    ).drop_duplicates("event_id")
    events.to_parquet(folder / "events", partition_cols=["day"], max_partitions=4096)
    return len(events)


def measured(work: Callable[[Path, Path], int], path: Path) -> tuple[int, float, float]:
    """Rows, seconds, and peak memory in MB, of one run in a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="rightsend-benchmark-"))
    try:
        started = time.perf_counter()
        rows = work(path, folder)
        seconds = time.perf_counter() - started
    finally:
        shutil.rmtree(folder)
    return rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(work: Callable[[Path, Path], int], path: Path) -> tuple[int, float, float]:
    """``measured`` in a new process, so that each run has its own peak memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measured, work, path).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3, help="the median run counts (default 3)")
    runs = parser.parse_args().runs
    figures: dict[str, float] = {}
    lines = []
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as folder:
        parquet = data_file("transactions")
        csv = Path(folder) / "transactions.csv"
        pyarrow.csv.write_csv(pyarrow.parquet.read_table(parquet), csv)
        cases = [
            (form, name, work, path)
            for form, path in (("parquet", parquet), ("csv", csv))
            for name, work in (("rightsend", ours), ("pandas", rival))
        ]
        for form, name, work, path in tqdm(cases, desc="imports", unit="case"):
            results = [in_own_process(work, path) for _ in range(runs)]
            rows = results[0][0]
            seconds = statistics.median(result[1] for result in results)
            peak = max(result[2] for result in results)
            lines.append((form, name, rows, seconds, rows / seconds, peak))
            prefix = form if name == "rightsend" else f"pandas_{form}"
            figures[f"{prefix}_rows_per_s"] = round(rows / seconds)
            figures[f"{prefix}_peak_mb"] = round(peak)
    print(f"\n{'file':8} {'by':10} {'rows':>10} {'seconds':>8} {'rows/s':>10} {'peak MB':>8}")
    for form, name, rows, seconds, rate, peak in lines:
        print(f"{form:8} {name:10} {rows:>10,} {seconds:>8.2f} {rate:>10,.0f} {peak:>8,.0f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
