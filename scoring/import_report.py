"""What an import did, for the run report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class SourceReport:
    """Counts of one source in one run.

    rows_read = rows_added + rows_known + rows_after_now + rows_erased + rows quarantined +
    rows_unknown, of the files that were read; files whose content was imported before are only
    counted in ``files_skipped``.
    """

    source: str
    table: str
    rows_read: int = 0
    rows_added: int = 0  # new events; new or changed items, customers, …
    rows_known: int = 0  # in the lake already, with the same content
    rows_after_now: int = 0  # as_of: not yet happened, imported by a later run
    rows_erased: int = 0  # of erased customers, left out
    rows_quarantined: Counter[str] = field(default_factory=Counter)  # by reason
    rows_unknown: Counter[str] = field(default_factory=Counter)  # no event type for it, by its word
    files_read: int = 0
    files_skipped: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)  # one sentence a file that cannot be read

    @property
    def error(self) -> str | None:
        return "; ".join(self.errors) or None

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "table": self.table,
            "rows_read": self.rows_read,
            "rows_added": self.rows_added,
            "rows_known": self.rows_known,
            "rows_after_now": self.rows_after_now,
            "rows_erased": self.rows_erased,
            "rows_quarantined": dict(sorted(self.rows_quarantined.items())),
            "rows_unknown": dict(sorted(self.rows_unknown.items())),
            "files_read": self.files_read,
            "files_skipped": self.files_skipped,
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


@dataclass(frozen=True)
class ImportReport:
    """One entry a source, in the order of the configuration."""

    sources: tuple[SourceReport, ...]

    def to_json(self) -> dict[str, Any]:
        return {"sources": [source.to_json() for source in self.sources]}
