"""Changes of one customer → rows of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.errors import Stop
from connectors.files.formats import FLAG, LIST, NUMBER, TEXT, Columns

CUSTOMER_ID, REMOVED, MEMBER = "customer_id", "removed", "member"

Change = tuple[str, dict[str, Any]]  # customer id, name → new value (None: removed)


@dataclass(frozen=True)
class Layout:
    """How files look. ``names`` are the attributes, None for a segment; ``lists`` those of them
    that hold lists. ``full``: each run has everybody, so nothing needs to be removed."""

    names: tuple[str, ...] | None
    lists: frozenset[str]
    full: bool
    format: str
    file_bytes: int
    spreadsheet_safe: bool

    def __post_init__(self) -> None:
        for name in {CUSTOMER_ID, REMOVED} & set(self.names or ()):
            raise Stop(f"the attribute {name} is called like a column that every file has")

    def of_members(self) -> Layout:
        """The same for a segment."""
        return replace(self, names=None, lists=frozenset())

    def columns(self, seen: Mapping[str, set[str]]) -> Columns:
        """``seen``: name → kinds of its values in this run."""
        kinds = {CUSTOMER_ID: TEXT}
        for name in self.names or ():
            values = seen.get(name) or {LIST if name in self.lists else NUMBER}
            kinds[name] = next(iter(values)) if len(values) == 1 else TEXT
        if not self.full:
            kinds |= {MEMBER: FLAG} if self.names is None else {REMOVED: LIST}
        return Columns(kinds, self.spreadsheet_safe)

    def row(self, change: Change) -> dict[str, Any]:
        """One row of a file."""
        customer_id, values = change
        row: dict[str, Any] = {CUSTOMER_ID: customer_id}
        if self.names is None:
            return row if self.full else {**row, MEMBER: bool(values[MEMBER])}
        row |= {name: values[name] for name in self.names if values.get(name) is not None}
        removed = [name for name, value in values.items() if value is None]
        return {**row, REMOVED: removed} if removed and not self.full else row
