"""Source types: those of scoring, and the event files of the connectors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from connectors.inbound import EventBatch, EventFile, EventFiles, Unreadable
from connectors.registry import EVENT_FILES
from scoring import columns as c
from scoring.sources.chunk import BROKEN_FILE, LINE, BrokenLine, Chunk, SourceFile
from scoring.sources.errors import SourceError
from scoring.sources.registry import SOURCES, Open
from settings.workspace import SourceSettings

_TYPES = {
    c.OCCURRED_AT: pa.float64(), c.QUANTITY: pa.float64(), c.UNIT_PRICE: pa.float64(),
}  # fmt: skip


def source_types() -> dict[str, Open]:
    """How a source of each type is opened."""
    return {**SOURCES, **{name: partial(_open, files) for name, files in EVENT_FILES.items()}}


def _open(files: EventFiles, source: SourceSettings, base: Path) -> list[SourceFile]:
    try:
        found = files.open(source.options, base)
    except Unreadable as error:
        raise SourceError(f"source {source.name}: {error}") from error
    return [SourceFile(each.name, each.fingerprint, partial(_chunks, each)) for each in found]


def _chunks(file: EventFile, _columns: Collection[str]) -> Iterator[Chunk]:
    rows = 0
    try:
        for batch in file.batches():
            chunk = _chunk(batch, rows)
            rows += chunk.table.num_rows
            yield chunk
    except Unreadable as error:
        raise SourceError(str(error)) from error


def _chunk(batch: EventBatch, before: int) -> Chunk:
    """The batch with all canonical columns; ``before`` rows of the file came earlier."""
    rows = len(next(iter(batch.columns.values()), ()))
    table = pa.table(
        {
            name: _column(batch.columns.get(name), rows, _TYPES.get(name, pa.string()))
            for name in c.EVENT_COLUMNS
        }
    ).append_column(LINE, pa.array(np.arange(before + 1, before + rows + 1)))
    broken: tuple[BrokenLine, ...] = ()
    if batch.broken is not None:
        broken = (BrokenLine(before + rows + 1, BROKEN_FILE, batch.broken),)

    def text(row: int) -> str:
        values = table.slice(row, 1).drop_columns([LINE]).to_pylist()[0]
        return json.dumps(
            {name: each for name, each in values.items() if each is not None}, ensure_ascii=False
        )

    return Chunk(table, text, 1.0, broken, batch.unknown)


def _column(values: Any, rows: int, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if values is None:
        return pa.nulls(rows, kind)
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    return pa.array(values, kind)
