"""The gate: what may be published. A refusal is a sentence, and yesterday's snapshot stays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring.snapshot import SnapshotMeta
from scoring.snapshot_schema import SnapshotTables
from settings.workspace import GateSettings

MEASURE = "lift@20"
ERROR = f"{MEASURE}_error"  # standard error of the mean
CONFIDENCE = 1.96  # standard errors that chance seldom exceeds (95 %)
FEW_TARGETS = 5  # so few may all have too few buyers tonight


def quality_problem(
    quality: Mapping[str, Any], before: SnapshotMeta | None, settings: GateSettings
) -> str | None:
    """Worse than yesterday's by more than allowed and by more than chance? ``quality`` as the
    backtest reports it.

    A level that was measured yesterday must be measured tonight, unless it had less than
    FEW_TARGETS targets and none of them found enough buyers in the window. A
    ``max_quality_drop_share`` of 1 allows everything.
    """
    if before is None or settings.max_quality_drop_share >= 1:
        return None
    for level, was in before.quality.get(MEASURE, {}).items():
        if was is None:
            continue
        now = quality.get(MEASURE, {}).get(level)
        problem = (
            _unmeasured(level, quality, before.quality)
            if now is None
            else _dropped(level, quality, before.quality, settings)
        )
        if problem:
            return problem
    return None


def _dropped(
    level: str, now: Mapping[str, Any], before: Mapping[str, Any], settings: GateSettings
) -> str | None:
    """The two nights are of other windows: what one would differ by chance is no drop."""
    lift, was = now[MEASURE][level], before[MEASURE][level]
    floor = was * (1 - settings.max_quality_drop_share)
    errors = (quality.get(ERROR, {}).get(level) or 0.0 for quality in (now, before))
    chance = CONFIDENCE * math.hypot(*errors)
    if lift >= floor or was - lift <= chance:
        return None
    return (
        f"{MEASURE} of {level} fell from {was:.2f} to {lift:.2f}, below {floor:.2f} "
        f"(gate.max_quality_drop_share {settings.max_quality_drop_share}) and by more than chance "
        f"explains ({chance:.2f})"
    )


def _unmeasured(level: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    targets = before.get("targets", {}).get(level)
    reason = now.get("left_out", {}).get(level)
    missing = level in now.get("missing", ())  # in the catalogue: a fault, not chance
    if reason and not missing and targets is not None and targets < FEW_TARGETS:
        return None
    return (
        f"{level} was measured for the snapshot before ({MEASURE} {before[MEASURE][level]:.2f}) "
        f"and cannot be tonight: {reason or 'no target has a figure'}; check the sources, or set "
        "gate.max_quality_drop_share to 1 for one night if that is meant"
    )


def scores_problem(
    tables: SnapshotTables, before: SnapshotMeta | None, settings: GateSettings
) -> str | None:
    """Fewer customers than yesterday, nothing to show, or numbers that are none?"""
    scores = tables.scores
    if scores.num_rows == 0:
        return "no customer was scored: is any event source mapped to an identifier?"
    if tables.popular.num_rows == 0:
        return (
            "of the items that were bought none can be bought now, so there is nothing to "
            "recommend: check stock and available_from of the items source"
        )
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
