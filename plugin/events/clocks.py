"""Clocks that run ahead: an event from the future counts as of its arrival.

It would stand before everything that happens until then: a session's weights and a cart's age count
from the newest event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from plugin import logs
from plugin.runtime import Workspace, runtime
from scoring import columns as c

TOLERATED = timedelta(minutes=10)  # clocks differ


def set_right(here: Workspace, source: str, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Puts canonical rows more than TOLERATED ahead of ``now`` to ``now``, and tells of them.

    Their ids stay: the lake knows an event that comes again. In the recent list it then stands
    twice, which changes no answer. ``source``: ``api`` or the connection.
    """
    latest = now + TOLERATED
    ahead = [row for row in rows if row[c.OCCURRED_AT] > latest]
    if not ahead:
        return
    farthest = max(row[c.OCCURRED_AT] for row in ahead) - now
    for row in ahead:
        row[c.OCCURRED_AT] = now
    runtime().metrics.events_ahead.labels(source).inc(len(ahead))
    logs.seldom(
        "events ahead",
        workspace=here.settings.workspace,
        source=source,
        events=len(ahead),
        minutes=round(farthest.total_seconds() / 60),
    )
