"""What commands and jobs write into the audit trail, and configurations that changed."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import structlog
from rq import get_current_job

from plugin.trail import Trail
from rightsend.context import Context
from rightsend.store_process import flock
from settings.workspace import WorkspaceSettings

_DIGEST = "config.digest"
_log = structlog.get_logger("audit")


def trail_of(context: Context, workspace: WorkspaceSettings) -> Trail:
    """The workspace's trail, as this installation's secret keys it."""
    return Trail(context.workspace_dir(workspace), context.secret)


@contextlib.contextmanager
def audited(
    context: Context, workspace: WorkspaceSettings, act: str, **about: Any
) -> Iterator[dict[str, Any]]:
    """Notes the act when it is done, or failed with the kind of failure (its text may name a
    person). What becomes known meanwhile is added to the dict that is given."""
    found = dict(about)
    try:
        yield found
    except BaseException as error:
        note(context, workspace, act, f"failed: {type(error).__name__}", found)
        raise
    note(context, workspace, act, str(found.pop("outcome", "done")), found)


def note(
    context: Context,
    workspace: WorkspaceSettings,
    act: str,
    outcome: str,
    about: Mapping[str, Any],
) -> None:
    """One record in the trail; in a job, in its log as well."""
    record = trail_of(context, workspace).note(who(), act, outcome, about)
    if get_current_job() is not None:
        if "hash" in record:
            _log.info("audit", **record)
        else:
            _log.error("audit record not written", **record)
    elif "hash" not in record:
        click.echo(f"rightsend: not written to the audit trail: {record}", err=True)


def who() -> str:
    """The job that runs here, else the user at the command line."""
    job = get_current_job()
    if job is not None:
        return f"job:{job.id}"
    try:
        return f"user:{getpass.getuser()}"
    except (OSError, KeyError):  # a container may run under a number that has no name
        return "user:unknown"


def note_configuration(context: Context) -> None:
    """Notes for each workspace that its configuration is not the one of the last start.

    The digest is kept beside the trail; a file that cannot be read or written costs the note only.
    """
    for name in context.settings.workspaces:
        workspace = context.workspace(name)
        file = context.workspace_dir(workspace) / "audit" / _DIGEST
        digest = _digest(context.settings.file, workspace.file)
        with contextlib.suppress(OSError), flock(file.with_name(".config.lock"), wait=True):
            known = file.read_text() if file.exists() else None
            if known != digest:
                about = {"digest": digest, "was": known}
                note(context, workspace, "config.changed", "done", about)
                file.write_text(digest)


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in dict.fromkeys(files):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
