"""What a sync did, in numbers; for people, for logs and for ``--json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

OTHER_REASONS = "other reasons"
MOST_REASONS = 20  # reasons are a tool's prose: there may be as many as records


@dataclass
class SyncReport:
    """Numbers of one sync of one connection.

    ``profiles`` are customers with a desired state, ``changed`` those who differ from what the
    tool accepted last (the vanished included), ``data_points`` the attribute values in accepted
    records and ``data_points_full`` those of a full write. ``requests`` counts every request,
    ``retries`` those that repeat one. ``waiting`` are quarantined customers whose content has not
    changed. In a dry run ``requests`` and ``data_points`` say what would be sent.
    """

    connection: str
    dry_run: bool = False
    finished: bool = False  # False: stopped on demand or by an error; the next sync goes on
    profiles: int = 0
    unaddressable: int = 0  # customers the tool cannot know: they have no external id
    changed: int = 0
    accepted: int = 0
    requests: int = 0
    retries: int = 0
    data_points: int = 0
    data_points_full: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # reason → customers
    waiting: int = 0
    waited_s: float = 0.0
    seconds: float = 0.0

    def count_reject(self, reason: str, customers: int = 1) -> None:
        if reason not in self.rejected and len(self.rejected) >= MOST_REASONS:
            reason = OTHER_REASONS
        self.rejected[reason] = self.rejected.get(reason, 0) + customers

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PushReport:
    """Numbers of one push of a segment; ``removed`` left it since the push before."""

    connection: str
    segment_id: str
    members: int
    unaddressable: int
    added: int
    removed: int
    requests: int
    retries: int
    rejected: dict[str, int]
    seconds: float
    finished: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
