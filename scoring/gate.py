"""The gate: what may be published. A refusal is a sentence, and yesterday's snapshot stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring.snapshot import SnapshotMeta
from scoring.snapshot_schema import SnapshotTables
from settings.workspace import GateSettings

MEASURE = "lift@20"


def quality_problem(
    quality: Mapping[str, Any], before: SnapshotMeta | None, settings: GateSettings
) -> str | None:
    """Worse than yesterday's by more than allowed? ``quality`` as the backtest reports it."""
    if before is None:
        return None
    for level, now in quality.get(MEASURE, {}).items():
        was = before.quality.get(MEASURE, {}).get(level)
        if was is None or now is None:
            continue
        floor = was * (1 - settings.max_quality_drop_share)
        if now < floor:
            return (
                f"{MEASURE} of {level} fell from {was:.2f} to {now:.2f}, below {floor:.2f} "
                f"(gate.max_quality_drop_share {settings.max_quality_drop_share})"
            )
    return None


def scores_problem(
    tables: SnapshotTables, before: SnapshotMeta | None, settings: GateSettings
) -> str | None:
    """Fewer customers than yesterday, nothing to show, or numbers that are none?"""
    scores = tables.scores
    if scores.num_rows == 0:
        return "no customer was scored: is any event source mapped to an identifier?"
    if tables.popular.num_rows == 0:
        return "no item was bought before now: there is nothing to recommend"
    if before is not None and scores.num_rows < before.customers * settings.min_coverage_share:
        return (
            f"only {scores.num_rows} customers were scored after {before.customers} before "
            f"(gate.min_coverage_share {settings.min_coverage_share})"
        )
    for name in (c.PURCHASE_PROBABILITY, c.EXPECTED_PURCHASES, c.ITEM_PROBABILITY,
                 c.BRAND_PROBABILITY, c.CATEGORY_PROBABILITY):  # fmt: skip
        if not _finite(scores[name]):
            return f"{name} holds numbers that are not finite"
    return None


def _finite(column: pa.ChunkedArray) -> bool:
    array = column.combine_chunks()
    if pa.types.is_list(array.type):
        array = array.flatten()
    values = array.to_numpy(zero_copy_only=False)
    return array.null_count == 0 and bool(np.isfinite(values).all())
