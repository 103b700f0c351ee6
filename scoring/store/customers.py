"""Customer and alias records of a snapshot, grouped by bucket, some thousand rows at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa

from scoring import columns as c
from scoring.snapshot import SCORES, Snapshot
from scoring.snapshot_schema import completed
from scoring.store.bought_packing import packed_bought
from scoring.store.content import Content
from scoring.store.extras_packing import packed_extras
from scoring.store.keys import bucket, customer_hash, identifier_text
from scoring.store.packing import pack_customers, ranked
from scoring.store.reasons_packing import packed_reasons
from scoring.store.records import alias_record

_SLICE = 4096  # rows: the matrices of packing stay in the processor's cache

Bucket = tuple[int, int, dict[bytes, bytes]]


def customer_buckets(
    snapshot: Snapshot,
    content: Content,
    workspace: str,
    secret: bytes,
    without: frozenset[bytes] = frozenset(),
) -> Iterator[Bucket]:
    """Yields (customers done, bucket, {customer hash: record}); a bucket comes several times.

    Customers in ``without`` and their aliases are left out. Raises RecordError for scores that
    cannot be packed.
    """
    done = 0
    for batch in snapshot.batches():
        hashes = [
            customer_hash(secret, workspace, customer_id)
            for customer_id in batch[c.CUSTOMER_ID].to_pylist()
        ]
        records: list[bytes] = []
        whole = completed(SCORES, batch)
        for start in range(0, batch.num_rows, _SLICE):
            records += _pack(whole.slice(start, _SLICE), content)
        done += batch.num_rows
        yield from _grouped(done, hashes, records, without)
    for batch in snapshot.batches("identifiers"):
        yield from _grouped(done, *_aliases(batch, workspace, secret, without), without)


def _pack(rows: pa.Table, content: Content) -> list[bytes]:
    pairs = (
        (c.ITEM_INDEX, c.ITEM_PROBABILITY, content.numbers),
        (c.BRAND_INDEX, c.BRAND_PROBABILITY, content.brand_numbers),
        (c.CATEGORY_INDEX, c.CATEGORY_PROBABILITY, content.category_numbers),
    )
    items, brands, categories = (
        ranked(rows[index].combine_chunks(), rows[score].combine_chunks(), numbers)
        for index, score, numbers in pairs
    )
    return pack_customers(
        (items, brands, categories),
        content.widths,
        rows[c.PURCHASE_PROBABILITY].to_numpy(),
        rows[c.EXPECTED_PURCHASES].to_numpy(),
        packed_reasons(rows[c.ITEM_REASONS].combine_chunks(), items.counts, content.reasons),
        packed_extras(rows, content.names, content.numbers),
        packed_bought(rows, content.numbers),
    )


def _aliases(
    rows: pa.Table, workspace: str, secret: bytes, without: frozenset[bytes]
) -> tuple[list[bytes], list[bytes]]:
    hashes, records = [], []
    names = (c.IDENTIFIER_KIND, c.IDENTIFIER, c.CUSTOMER_ID)
    for kind, identifier, customer_id in zip(*(rows[n].to_pylist() for n in names), strict=True):
        text = identifier_text(kind, identifier)
        target = customer_hash(secret, workspace, customer_id)
        if text != customer_id and target not in without:
            hashes.append(customer_hash(secret, workspace, text))
            records.append(alias_record(target))
    return hashes, records


def _grouped(
    done: int, hashes: list[bytes], records: list[bytes], without: frozenset[bytes]
) -> Iterator[Bucket]:
    groups: defaultdict[int, dict[bytes, bytes]] = defaultdict(dict)
    for customer, record in zip(hashes, records, strict=True):
        if customer not in without:
            groups[bucket(customer)][customer] = record
    for number, fields in groups.items():
        yield done, number, fields
