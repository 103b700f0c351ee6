"""A snapshot's scores as CSV: the same snapshot gives the same bytes."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from scoring import columns as c
from scoring.snapshot_schema import SnapshotError

if TYPE_CHECKING:
    from scoring.snapshot import Snapshot

EXPORTS = {
    "items": (c.ITEM_INDEX, c.ITEM_PROBABILITY, c.ITEM_ID),
    "brands": (c.BRAND_INDEX, c.BRAND_PROBABILITY, c.BRAND),
    "categories": (c.CATEGORY_INDEX, c.CATEGORY_PROBABILITY, c.CATEGORY),
}


def export_csv(snapshot: Snapshot, out: IO[bytes], *, kind: str = "items") -> int:
    """Writes customer_id, rank (from 1), item_id (or brand, category) and probability, in
    customer order and best first; the same snapshot gives the same bytes. Returns the rows.

    ``kind`` is items, brands or categories; raises SnapshotError for anything else.
    """
    if kind not in EXPORTS:
        raise SnapshotError(f"cannot export {kind!r}: expected one of {', '.join(EXPORTS)}")
    index_column, probability_column, label_column = EXPORTS[kind]
    labels = snapshot.table(kind)[label_column].combine_chunks()
    rows = 0
    header = True
    options = [c.CUSTOMER_ID, index_column, probability_column]
    for batch in snapshot.batches(columns=options):
        indexes = batch[index_column].combine_chunks()
        parents = pc.list_parent_indices(indexes)
        starts = pc.take(indexes.offsets, parents)
        flat = pc.list_flatten(indexes)
        first = indexes.offsets[0].as_py()
        positions = pa.array(range(first + 1, first + 1 + len(flat)), pa.int32())
        table = pa.table({
            c.CUSTOMER_ID: pc.take(batch[c.CUSTOMER_ID].combine_chunks(), parents),
            c.RANK: pc.subtract(positions, starts),
            label_column: pc.take(labels, flat),
            c.PROBABILITY: pc.list_flatten(batch[probability_column].combine_chunks()),
        })  # fmt: skip
        pyarrow.csv.write_csv(
            table,
            out,
            pyarrow.csv.WriteOptions(include_header=header, quoting_style="needed"),
        )
        header = False
        rows += table.num_rows
    return rows
