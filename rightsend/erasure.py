"""Erasing a person: lake, quarantine, snapshots, store, segments and host tools."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors import delivery
from rightsend import draining, publishing, segments, triggers
from rightsend import sync as syncs
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.nights import NIGHTLY_LOCK
from rightsend.store_process import BusyError, flock, server_of
from scoring import columns as c
from scoring import importing, run_log
from scoring import snapshot as snapshots
from scoring.decisions import Decisions
from scoring.identity import resolve
from scoring.lake import Lake
from scoring.segment import forget
from scoring.snapshot import Snapshot
from scoring.store import erasure as store_erasure
from scoring.store.erasure import erased_hashes
from scoring.store.keys import hasher
from settings.workspace import WorkspaceSettings

Identifiers = set[tuple[str, str]]


def erase(
    context: Context, workspace: WorkspaceSettings, customer: str, *, wait: bool = False
) -> dict[str, Any]:
    """Removes the person whom ``customer`` names (an external id, or ``kind:identifier``).

    A nightly job that runs now works on data from before: with ``wait`` its end is waited for,
    else the report's ``again`` says that the person has to be erased once more afterwards. Every
    step can be repeated. Raises RightsendError when a host tool could not be told.
    """
    folder = context.workspace_dir(workspace)
    try:
        with flock(folder / NIGHTLY_LOCK, wait=wait):
            return _erase(context, workspace, customer) | {"again": _drop_unfinished(folder)}
    except BusyError:
        return _erase(context, workspace, customer) | {"again": True}


def _erase(context: Context, workspace: WorkspaceSettings, customer: str) -> dict[str, Any]:
    folder = context.workspace_dir(workspace)
    kept = [folder / "snapshots" / meta.snapshot for meta in snapshots.kept(folder)]
    resolved = _resolved(folder, hasher(context.secret, workspace.workspace))
    identifiers = identifiers_of(customer, [*_known(kept), resolved])
    ids = {value if kind == c.EXTERNAL_ID else f"{kind}:{value}" for kind, value in identifiers}
    secret = context.secret
    hashes = {h.hex() for h in erased_hashes(workspace.workspace, secret, identifiers)}
    pseudonyms = {(c.CUSTOMER_HASH, each) for each in hashes}
    rows = importing.erase(folder, identifiers | pseudonyms, secret=secret)
    draining.drain_decisions(context, workspace, claim_after_s=0)  # which leaves them out now
    rows += Decisions(folder).erase(hashes)
    entries = store_erasure.erase(context.client(), workspace.workspace, secret, identifiers)
    for snapshot in kept:
        snapshots.erase(snapshot, ids, model=forget)
    touched = [each for each in segments.folders(context, workspace) if _leave(each, ids)]
    for each in segments.folders(context, workspace):
        delivery.erase_recipients(each / triggers.BOOKS, ids)
    failures = _tell_host_tools(context, workspace) + _delete_profiles(workspace, ids)
    if failures:
        raise RightsendError("; ".join(failures))
    return {"rows": rows, "store_entries": entries, "segments": len(touched)}


def forget_on_disk(context: Context) -> None:
    """What was deleted from the embedded store leaves its append-only file, too. How another Redis
    keeps its data is its operator's business (docs/security.md)."""
    server = server_of(context.settings.state_dir)
    if context.redis_url == server.url:
        server.rewrite()


def identifiers_of(customer: str, tables: list[pa.Table]) -> Identifiers:
    """All (kind, identifier) pairs of the person whom ``customer`` names.

    ``tables`` hold identifier_kind, identifier and customer_id, as identity resolved them.
    """
    found: Identifiers = {_pair(customer)}
    for table in tables:
        persons = _persons(found, table) | {customer}
        found |= {_pair(person) for person in persons}
        mine = table.filter(pc.is_in(table[c.CUSTOMER_ID], value_set=pa.array(sorted(persons))))
        found |= {(row[c.IDENTIFIER_KIND], row[c.IDENTIFIER]) for row in mine.to_pylist()}
    return found


def _known(kept: list[Path]) -> list[pa.Table]:
    return [Snapshot.open(folder, verify=False).identifiers() for folder in kept]


def _resolved(folder: Path, hash_of: Callable[[str], bytes] | None) -> pa.Table:
    """Of everybody in the lake: a person may have come after the last night."""
    lake = Lake(folder / "lake")
    ever = datetime.max.replace(tzinfo=UTC)
    return resolve(lake.events(before=ever), lake.customers(), hash_of).identifiers


def _persons(identifiers: Identifiers, table: pa.Table) -> set[str]:
    """Customer ids that these identifiers lead to."""
    values = pa.array(sorted({value for _, value in identifiers}))
    rows = table.filter(pc.is_in(table[c.IDENTIFIER], value_set=values)).to_pylist()
    return {
        row[c.CUSTOMER_ID]
        for row in rows
        if (row[c.IDENTIFIER_KIND], row[c.IDENTIFIER]) in identifiers
    }


def _pair(customer_id: str) -> tuple[str, str]:
    kind, _, value = customer_id.partition(":")
    return (kind, value) if kind in c.IDENTIFIER_KINDS and value else (c.EXTERNAL_ID, customer_id)


def _drop_unfinished(folder: Path) -> bool:
    """The steps of an unfinished run name customers: the next night begins anew. Always False.

    So do runs and snapshots whose description is damaged; nobody can use those any more.
    """
    for run in _folders(folder / "runs"):
        report = run_log.read(run)
        if report is None or report.state in (run_log.RUNNING, run_log.FAILED):
            shutil.rmtree(run)
    whole = {meta.snapshot for meta in snapshots.kept(folder)}
    for snapshot in _folders(folder / "snapshots"):
        if snapshot.name not in whole:
            shutil.rmtree(snapshot)
    return False


def _folders(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def _leave(folder: Path, ids: set[str]) -> bool:
    """Rewrites the segment's files without the person; False when the person is not in it."""
    rows = pa.Table.from_pylist(list(segments.members(folder)), schema=segments.MEMBERS)
    rest = rows.filter(pc.invert(pc.is_in(rows[c.CUSTOMER_ID], value_set=pa.array(sorted(ids)))))
    if rest.num_rows == rows.num_rows:
        return False
    segments.write_members(folder, rest)
    return True


def _tell_host_tools(context: Context, workspace: WorkspaceSettings) -> list[str]:
    """What vanished from the snapshot is removed from the tools by a sync and by pushing again.

    Every segment is pushed, for one whose push failed in an erasure before has lost the person
    since; those that have not changed send nothing. Returns what could not be done.
    """
    failures = []
    known = {connection.name for connection in workspace.connections}
    for folder in segments.folders(context, workspace):
        for connection in known.intersection(segments.pushed_to(folder)):
            try:
                segments.push(context, workspace, folder.name, connection, _quiet)
            except (delivery.ConnectorError, RightsendError) as error:
                failures.append(f"segment {folder.name}, connection {connection}: {error}")
    if not snapshots.kept(context.workspace_dir(workspace)):
        return failures
    snapshot = publishing.active_snapshot(context, workspace)
    return failures + syncs.failed(syncs.sync(context, workspace, snapshot, _quiet, wait=True))


def _delete_profiles(workspace: WorkspaceSettings, ids: set[str]) -> list[str]:
    """Where the client wants it, and last: a later write would make the profile anew.

    Returns what could not be done.
    """
    failures = []
    for connection in workspace.connections:
        if connection.options.get("erase_profiles"):
            try:
                delivery.erase_profiles(connection, sorted(ids))
            except delivery.ConnectorError as error:
                failures.append(f"connection {connection.name}: {error}")
    return failures


def _quiet(_what: str, _done: int, _total: int | None = None) -> None:
    """Nobody watches."""
