"""Devices that changed hands: what each owner did on one, told apart by the events of type unlink.

A device is nobody's from an unlink on. What was done on it before keeps a name of its own
("<device>␟<from>-<until>", microseconds since 1970), so that it stays with whom it belonged to; the
plain name is the device as it is now. An unlink itself belongs to the device alone.
"""

# ruff: noqa: S608 - names come from scoring.columns

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb

from scoring import columns as c
from scoring import sql
from scoring.delta import DataFile
from scoring.merge import scan

_MARK = "\x1f"
_EVER = -(2**62)  # microseconds since 1970, before any event


class Past(NamedTuple):
    """A device from the moment ``from_us`` until before ``until_us``."""

    device: str
    from_us: int
    until_us: int


def past_of(identifier: str) -> Past | None:
    """What a name of a former hand means; None for any other identifier."""
    device, mark, times = identifier.rpartition(_MARK)
    first, dash, last = times.rpartition("-")
    if not mark or not dash or not last.isdigit():
        return None
    return Past(device, int(first or _EVER), int(last))


def epochs(
    connection: duckdb.DuckDBPyConnection, files: Sequence[DataFile], before: datetime, table: str
) -> bool:
    """Makes the temporary ``table`` of the pasts of all devices that were separated before
    ``before`` (device, from_us, until_us, name); False, and no table, if none was."""
    device, unlink = sql.literal(c.DEVICE_ID), sql.literal(c.UNLINK)
    connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT *, concat(device, chr({ord(_MARK)}), "
        f"nullif(from_us, {_EVER}), '-', until_us) AS name FROM (SELECT device, "
        f"lag(us, 1, {_EVER}) OVER (PARTITION BY device ORDER BY us) AS from_us, us AS until_us "
        f"FROM (SELECT DISTINCT epoch_us({c.OCCURRED_AT}) AS us, coalesce({c.DEVICE_ID}, "
        f"CASE WHEN {c.IDENTIFIER_KIND} = {device} THEN {c.IDENTIFIER} END) AS device "
        f"FROM {scan(files)} WHERE {c.EVENT_TYPE} = {unlink} AND {c.OCCURRED_AT} < ?) "
        "WHERE device IS NOT NULL)",
        [before],
    )
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    if not found:
        connection.execute(f"DROP TABLE {table}")
    return bool(found)


def told_apart(names: Sequence[str], files: Sequence[DataFile], table: str) -> str:
    """SQL: the columns ``names`` of the events of ``files``, with the names of ``epochs``."""
    unlinks = f"{c.EVENT_TYPE} = {sql.literal(c.UNLINK)}"
    device = sql.literal(c.DEVICE_ID)
    own = {
        c.IDENTIFIER_KIND: f"CASE WHEN {unlinks} THEN {device} ELSE {c.IDENTIFIER_KIND} END",
        c.IDENTIFIER: (
            f"CASE WHEN {unlinks} THEN coalesce({c.DEVICE_ID}, {c.IDENTIFIER}) "
            f"ELSE {c.IDENTIFIER} END"
        ),
        c.DEVICE_ID: f"CASE WHEN {unlinks} THEN NULL ELSE {c.DEVICE_ID} END",
    }
    events = ", ".join(f"{own.get(name, name)} AS {name}" for name in names)
    renamed = {
        c.IDENTIFIER: f"coalesce(who.name, e.{c.IDENTIFIER})",
        c.DEVICE_ID: f"coalesce(beside.name, e.{c.DEVICE_ID})",
    }
    columns = ", ".join(f"{renamed.get(name, f'e.{name}')} AS {name}" for name in names)
    within = f"epoch_us(e.{c.OCCURRED_AT}) >= {{0}}.from_us AND epoch_us(e.{c.OCCURRED_AT}) < "
    within += "{0}.until_us"
    return (
        f"SELECT {columns} FROM (SELECT {events} FROM {scan(files)}) e "
        f"LEFT JOIN {table} who ON e.{c.IDENTIFIER_KIND} = {device} "
        f"AND who.device = e.{c.IDENTIFIER} AND {within.format('who')} "
        f"LEFT JOIN {table} beside ON beside.device = e.{c.DEVICE_ID} AND {within.format('beside')}"
    )


def erased_events(past: Past) -> str:
    """SQL: is an event on the device within its past."""
    device = sql.literal(past.device)
    return (
        f"((({c.IDENTIFIER_KIND} = {sql.literal(c.DEVICE_ID)} AND {c.IDENTIFIER} = {device}) "
        f"OR {c.DEVICE_ID} = {device}) AND epoch_us({c.OCCURRED_AT}) >= {past.from_us} "
        f"AND epoch_us({c.OCCURRED_AT}) < {past.until_us})"
    )
