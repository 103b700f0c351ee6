"""The shop's items as a catalog of the host tool, so that messages can name and show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scoring import columns as c
from scoring.snapshot import Snapshot

KINDS = {
    c.NAME: "string",
    c.BRAND: "string",
    c.CATEGORY: "string",
    c.PRICE: "number",
    c.IMAGE_URL: "string",
    c.URL: "string",
    "sellable": "boolean",
}


def kinds(fields: Sequence[str]) -> dict[str, str]:
    """Field → type of the catalog's columns."""
    return {field: KINDS[field] for field in fields}


def items(snapshot: Snapshot, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(item id, field → value), in item order; what is not known of an item is left out."""
    for row in snapshot.items().select([c.ITEM_ID, *fields]).to_pylist():
        item_id = row.pop(c.ITEM_ID)
        yield item_id, {name: value for name, value in row.items() if value is not None}
