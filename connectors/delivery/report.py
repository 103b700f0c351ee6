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
    tool accepted last (the vanished included), ``postponed`` those of them whom the budget left for
    the next run. ``data_points`` are the attribute values in accepted records,
    ``data_points_full`` those of a full write. ``requests`` counts every request, ``retries`` those
    that repeat one; ``rate_used`` is the share of the tool's contract that they filled while
    sending (None: no contract known). ``waiting`` are quarantined customers whose content has not
    changed. In a dry run ``requests``, ``data_points`` and ``sending_s`` say what would be.
    """

    connection: str
    dry_run: bool = False
    finished: bool = False  # False: stopped on demand or by an error; the next sync goes on
    profiles: int = 0
    unaddressable: int = 0  # customers the tool cannot know: they have no external id
    changed: int = 0
    postponed: int = 0
    accepted: int = 0
    requests: int = 0
    retries: int = 0
    data_points: int = 0
    data_points_postponed: int = 0
    data_points_full: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # reason → customers
    waiting: int = 0
    rate_used: float | None = None
    sending_s: float = 0.0
    waited_s: float = 0.0
    seconds: float = 0.0

    def count_reject(self, reason: str, customers: int = 1) -> None:
        if reason not in self.rejected and len(self.rejected) >= MOST_REASONS:
            reason = OTHER_REASONS
        self.rejected[reason] = self.rejected.get(reason, 0) + customers

    @property
    def share_of_full(self) -> float | None:
        """Data points beside those of a full write; None when that has none."""
        return self.data_points / self.data_points_full if self.data_points_full else None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "share_of_full": self.share_of_full}


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
