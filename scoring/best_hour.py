"""The hour of the day in which a customer most probably is there: reads a message, or shops.

A customer's sessions of the last WINDOW_DAYS (scoring.sessions) are counted by hour of the day, an
older one for less (half after HALF_LIFE_DAYS). These counts are multinomial with a Dirichlet prior
whose mean is the shop's own histogram, worth a few sessions (empirical Bayes:
Carlin and Louis, Bayes and Empirical Bayes Methods for Data Analysis, 2000); so that a customer
with little evidence gets nearly the shop's hour. The posterior mean is smoothed around the clock by
a von Mises kernel (circular density estimation: Hall, Watson and Cabrera 1987), and the highest
hour outside of the workspace's quiet hours is the best. Strength and kernel were chosen by
`python -m benchmarks.best_hour --choose`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import ibis
import numpy as np
from numpy.typing import NDArray

from scoring.identity import Identity
from scoring.lake import Lake
from scoring.sessions import sessions
from settings.workspace import WorkspaceSettings

WINDOW_DAYS, HALF_LIFE_DAYS = 90, 60.0
HOURS = 24
UNKNOWN = -1
UNIT = 300  # counts of a session of weight 1 today; 93 days of weight 2 fit into uint16
_BLOCK = 65_536  # customers that are smoothed at a time
_DAY_S = 86_400

Counts = NDArray[np.uint16]
Hours = NDArray[np.int8]


class Smoothing(NamedTuple):
    """``prior_sessions``: strength of the shop's histogram; ``concentration`` of the von Mises
    kernel (kappa), None for no kernel."""

    prior_sessions: float = 5.0
    concentration: float | None = 6.0


SMOOTHING = Smoothing()


def best_hours(
    lake: Lake, identity: Identity, workspace: WorkspaceSettings, now: datetime
) -> Hours:
    """int8[n_customers], in the order of ``identity.customers``: 0 … 23 in the customer's time
    zone (the workspace's where it is unknown); UNKNOWN for who has no session, and for all where
    quiet hours leave no whole hour. Events before ``now`` count."""
    counted = counts(lake, identity, workspace, now)
    return best(counted, outside(workspace.send.quiet_hours), SMOOTHING)


def counts(
    lake: Lake,
    identity: Identity,
    workspace: WorkspaceSettings,
    now: datetime,
    half_life_days: float = HALF_LIFE_DAYS,
) -> Counts:
    """uint16[n_customers, 24]: decayed sessions by hour, in UNITs."""
    since = now - timedelta(days=WINDOW_DAYS)
    events = lake.events(before=now, since=since)
    rows = sessions(events, identity, workspace, (since, now))
    age = (int(now.timestamp()) // _DAY_S - rows["day"]).clip(lower=0)
    decay = ibis.literal(0.5) ** (age / half_life_days)
    # whole numbers: their sum is the same in whichever order threads add it
    rows = rows.mutate(count=(rows["weight"] * UNIT * decay).round().cast("int64"))
    rows = rows.group_by("customer", "hour").agg(count=rows["count"].sum().cast("uint16"))
    table = np.zeros((len(identity.customers), HOURS), dtype=np.uint16)
    for batch in rows.to_pyarrow_batches():
        customer, hour, count = (batch[name].to_numpy() for name in ("customer", "hour", "count"))
        table[customer, hour] = count
    return table


def best(table: Counts, allowed: NDArray[np.bool_], smoothing: Smoothing) -> Hours:
    """int8[n_customers] from uint16[n_customers, 24]; ``allowed``: bool[24]. Of hours that are
    equally good the earliest."""
    found = np.full(len(table), UNKNOWN, dtype=np.int8)
    if not allowed.any() or not table.any():
        return found
    shop = table.sum(axis=0, dtype=np.int64)
    prior = smoothing.prior_sessions * shop / shop.sum()
    for start in range(0, len(table), _BLOCK):
        rows = table[start : start + _BLOCK]
        density = around_the_clock(rows / UNIT + prior, smoothing.concentration)
        # rounded: what is equal is equal, in whichever order it was added
        hours = np.where(allowed, np.round(density, 9), -np.inf).argmax(axis=1)
        found[start : start + _BLOCK] = np.where(rows.any(axis=1), hours, UNKNOWN)
    return found


def around_the_clock(
    density: NDArray[np.float64], concentration: float | None
) -> NDArray[np.float64]:
    """float64[n, 24] convolved with a von Mises kernel; 23 and 0 are neighbours."""
    if concentration is None:
        return density
    away = np.arange(HOURS)
    kernel = np.exp(concentration * (np.cos(2 * np.pi * away / HOURS) - 1))
    kernel /= kernel.sum()
    return density @ kernel[(away[:, None] - away) % HOURS]


def outside(quiet_hours: str | None) -> NDArray[np.bool_]:
    """bool[24]: hours of which no minute is within "HH:MM-HH:MM"."""
    minutes = np.arange(HOURS * 60)
    if quiet_hours is None:
        return np.ones(HOURS, dtype=bool)
    begin, end = (int(each[:2]) * 60 + int(each[3:]) for each in quiet_hours.split("-"))
    late, early = minutes >= begin, minutes < end
    quiet = late & early if begin <= end else late | early
    return np.asarray(~quiet.reshape(HOURS, 60).any(axis=1))
