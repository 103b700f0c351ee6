"""What counts as now: the wall clock, or a past day that runs on from the moment it was opened."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK_FILE = "clock.json"


class ClockError(Exception):
    """The kept clock cannot be read; the message says what to do."""


def wall_clock() -> datetime:
    """The time of day, UTC, timezone-aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """``as_of`` is the time that counted as now at wall time ``started_at``; None = the wall
    clock.
    """

    as_of: datetime | None = None
    started_at: datetime | None = None
    wall: Callable[[], datetime] = wall_clock

    def __post_init__(self) -> None:
        if (self.as_of is None) != (self.started_at is None):
            raise ValueError("as_of and started_at belong together: give both or neither")
        for name in ("as_of", "started_at"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} must be timezone-aware, found {moment!r}")

    def now(self) -> datetime:
        """The current time of this workspace, UTC. Never before ``as_of``."""
        wall = self.wall().astimezone(UTC)
        if self.as_of is None or self.started_at is None:
            return wall
        return self.as_of.astimezone(UTC) + max(wall - self.started_at, timedelta())

    @classmethod
    def open(
        cls,
        workspace_dir: Path,
        as_of: datetime | None,
        wall: Callable[[], datetime] = wall_clock,
    ) -> Clock:
        """The workspace's clock; the first opening (or another ``as_of``) starts it and keeps that.

        Raises ClockError when clock.json is not what this function wrote.
        """
        if as_of is None:
            return cls(wall=wall)
        workspace_dir.mkdir(parents=True, exist_ok=True)
        path = workspace_dir / CLOCK_FILE
        with (workspace_dir / f"{CLOCK_FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # web, worker and clock open it at the same time
            kept = _read(path)
            if kept is not None and kept[0] == as_of:
                return cls(as_of, kept[1], wall)
            started_at = wall().astimezone(UTC)
            _write(path, as_of, started_at)
        return cls(as_of, started_at, wall)


def _read(path: Path) -> tuple[datetime, datetime] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        as_of, started_at = (
            datetime.fromisoformat(document[key]) for key in ("as_of", "started_at")
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ClockError(
            f"{path}: not a kept clock ({error}); delete the file to start again at as_of"
        ) from error
    if as_of.tzinfo is None or started_at.tzinfo is None:
        raise ClockError(f"{path}: times without zone; delete the file to start again at as_of")
    return as_of, started_at


def _write(path: Path, as_of: datetime, started_at: datetime) -> None:
    document = {"as_of": as_of.isoformat(), "started_at": started_at.isoformat()}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    os.replace(temporary, path)  # noqa: PTH105 - atomic, and the same call everywhere
