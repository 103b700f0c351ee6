"""When customers were there: hours of days, in each customer's own time zone.

A session here is a customer, a local day and an hour of it in which at least one event happened:
fifty views in a row say no more of the hour than one. Counted in DuckDB, never in memory.

Purchases that a shop exports by day come as midnights and tell no time. An event type is taken for
such at the midnights of a zone (UTC, the workspace's, and those that sources are read in) if more
than half of its events at whole quarters of an hour are there: rounded times are spread over the
day, dates are not. Its events at exactly these midnights are left out, all others stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring.behaviour import numbered_people
from scoring.identity import Identity
from settings.workspace import WorkspaceSettings

# opens and clicks are answers to a message, which is what the hour is wanted for; what programs
# opened (AUTOMATED) is nobody's
WEIGHTS: Mapping[str, int] = {
    c.OPEN: 2, c.CLICK: 2, c.APP_OPEN: 1, c.VIEW: 1, c.SEARCH: 1, c.CART: 1, c.INTEREST: 1,
    c.PURCHASE: 1,
}  # fmt: skip
# as Braze Currents and Customer.io name it; true, or "true" where records hold only texts
_BY_A_PROGRAM = r'(?i)"(machine_open|machine_click|is_suspected_bot_click)"\s*:\s*"?true'
_DATES_SHARE = 0.5
_QUARTER_S, _HOUR_S, _DAY_S = 900, 3600, 86_400


def sessions(
    events: ibis.Table,
    identity: Identity,
    workspace: WorkspaceSettings,
    period: tuple[datetime, datetime],
) -> ibis.Table:
    """customer (place in ``identity.customers``), day (local, since 1970), hour (local, 0 … 23),
    weight (highest of WEIGHTS): one row each. ``events``: canonical, all within ``period``."""
    names = _zones(identity, workspace.timezone)
    zones = sorted(pc.unique(names).to_pylist())
    people = numbered_people(identity)
    zone = pc.index_in(names, value_set=pa.array(zones, pa.string()))
    people = people.append_column("zone", pc.take(zone, people["customer"]))
    offsets = ibis.memtable(_offsets(zones, period))
    counted = events.filter(events[c.EVENT_TYPE].isin(list(WEIGHTS)) & ~_by_a_program(events))
    rows = timed(counted, _written_in(workspace), period)
    rows = rows.inner_join(ibis.memtable(people), [c.IDENTIFIER_KIND, c.IDENTIFIER])
    second = rows[c.OCCURRED_AT].epoch_seconds()
    rows = rows.mutate(second=second, utc_hour=second // _HOUR_S)
    rows = rows.inner_join(offsets, ["zone", "utc_hour"])
    local = rows["second"] + rows["offset_s"]
    weight = ibis.cases(*((rows[c.EVENT_TYPE] == name, w) for name, w in WEIGHTS.items()))
    rows = rows.mutate(day=local // _DAY_S, hour=local % _DAY_S // _HOUR_S, weight=weight)
    return rows.group_by("customer", "day", "hour").agg(weight=rows.weight.max())


def timed(
    events: ibis.Table, zones: Iterable[str], period: tuple[datetime, datetime]
) -> ibis.Table:
    """``events`` without those whose time is only a date in one of ``zones``."""
    at = events[c.OCCURRED_AT]
    exact = (at.epoch_seconds() % _QUARTER_S == 0) & (at.microsecond() == 0)
    events = events.mutate(quarter=exact.ifelse(at.epoch_seconds(), ibis.null("int64")))
    midnights = [sorted(_midnights(zone, period)) for zone in zones]
    dated = [
        {c.EVENT_TYPE: name, "quarter": midnight}
        for name, place in _dated(events, midnights)
        for midnight in midnights[place]
    ]
    if not dated:
        return events
    schema = pa.schema([(c.EVENT_TYPE, pa.string()), ("quarter", pa.int64())])
    dates = ibis.memtable(pa.Table.from_pylist(dated, schema=schema)).distinct()
    return events.anti_join(dates, [c.EVENT_TYPE, "quarter"])


def _dated(events: ibis.Table, midnights: Sequence[Sequence[int]]) -> list[tuple[str, int]]:
    """(event type, place in ``midnights``) where more than half of the type's times at whole
    quarters are these midnights."""
    whole = events.filter(events["quarter"].notnull())
    shares = {str(n): whole["quarter"].isin(each).mean() for n, each in enumerate(midnights)}
    return [
        (row[c.EVENT_TYPE], n)
        for row in whole.group_by(c.EVENT_TYPE).agg(**shares).to_pyarrow().to_pylist()
        for n in range(len(midnights))
        if row[str(n)] > _DATES_SHARE
    ]


def _by_a_program(events: ibis.Table) -> ibis.Value:
    """Whether the host tool says that a mail program, not a person, opened or clicked."""
    return events[c.PROPERTIES].re_search(_BY_A_PROGRAM).fill_null(False)


def _zones(identity: Identity, otherwise: str) -> pa.ChunkedArray:
    """Of every customer: their own zone; ``otherwise`` where it is unknown or none."""
    own = identity.customers[c.TIMEZONE].cast(pa.string())
    known = sorted(set(pc.unique(own).to_pylist()) & available_timezones())
    return pc.if_else(pc.is_in(own, value_set=pa.array(known, pa.string())), own, otherwise)


def _written_in(workspace: WorkspaceSettings) -> list[str]:
    """Zones in which a date may have become a midnight."""
    mapped = (
        mapping.timezone
        for source in workspace.sources
        for name, mapping in source.columns.items()
        if name == c.OCCURRED_AT
    )
    return sorted({"UTC", workspace.timezone, *mapped})


def _offsets(zones: list[str], period: tuple[datetime, datetime]) -> pa.Table:
    """zone (int32, place in ``zones``), utc_hour (since 1970), offset_s: local time is UTC and
    this. By zoneinfo, as it knows every zone that settings and snapshots know."""
    first, last = (int(moment.timestamp()) // _HOUR_S for moment in period)
    hours = np.arange(first, last + 1)
    epoch = datetime.fromtimestamp(0, ZoneInfo("UTC"))
    moments = [epoch + timedelta(hours=hour) for hour in hours.tolist()]
    offsets = [
        int(moment.astimezone(zone).utcoffset().total_seconds())  # type: ignore[union-attr]
        for zone in map(ZoneInfo, zones)
        for moment in moments
    ]
    return pa.table({
        "zone": pa.array(np.repeat(np.arange(len(zones)), len(hours)), pa.int32()),
        "utc_hour": pa.array(np.tile(hours, len(zones)), pa.int64()),
        "offset_s": pa.array(offsets, pa.int64()),
    })  # fmt: skip


def _midnights(zone: str, period: tuple[datetime, datetime]) -> Iterator[int]:
    """Seconds since 1970 of the midnights in ``zone`` that touch ``period``."""
    first, last = (moment.date() for moment in period)
    for day in range(first.toordinal() - 1, last.toordinal() + 2):
        at = date.fromordinal(day)
        midnight = datetime(at.year, at.month, at.day, tzinfo=ZoneInfo(zone))
        yield int(midnight.timestamp())
