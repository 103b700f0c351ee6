"""Opens every source and connection of a configuration: what is wrong and what is expected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis

from connectors.registry import check as check_connection
from plugin.auth import Keys
from rightsend.context import EMBEDDED, Context
from rightsend.event_files import source_types
from rightsend.ports import listens
from scoring.sources import mapping
from scoring.sources.errors import SourceError
from scoring.sources.registry import open_source
from scoring.store.client import connect
from scoring.store.errors import StoreUrlError
from settings.problems import KeyPath, Problem, dotted
from settings.workspace import SourceSettings, WorkspaceSettings
from settings.yaml_file import Document, read

KEY_WARNING = timedelta(days=14)


def problems_of(context: Context) -> list[Problem]:
    """What keeps the configured sources and connections from working; empty when all do."""
    found = list(_store(context))
    for name in context.settings.workspaces:
        workspace = context.workspace(name)
        document = read(workspace.file, os.environ)
        found += _sources(workspace, document)
        found += _connections(context, workspace, document)
    return found


def warnings_of(context: Context) -> Iterator[str]:
    """What works today and will not for long: keys that end soon."""
    soon = datetime.now(UTC) + KEY_WARNING
    for name in context.settings.workspaces:
        for key in Keys(context.settings.workspace_dir(name)).ending_before(soon):
            label = f" ({key.label})" if key.label else ""
            yield (
                f"workspace {name}: key {key.key_id}{label} ends at {key.expires_at}; "
                f"`rightsend keys rotate {key.key_id}` makes its successor"
            )


def _store(context: Context) -> Iterator[Problem]:
    """The configured Redis; the embedded one runs while a command needs it."""
    if context.redis_url == EMBEDDED:
        return
    document = read(context.settings.file, os.environ)
    try:
        with connect(context.redis_url) as client:
            client.ping()
    except StoreUrlError as error:
        yield _problem(document, ("redis_url",), str(error), "a URL of Redis or Valkey")
    except redis.RedisError as error:
        found = f"no Redis that answers ({type(error).__name__})"  # its text may hold the address
        yield _problem(document, ("redis_url",), found, "a Redis or Valkey that answers")


def _sources(workspace: WorkspaceSettings, document: Document) -> Iterator[Problem]:
    for index, source in enumerate(workspace.sources):
        try:
            _read_first(source, workspace.file.parent)
        except SourceError as error:
            expected = f"a source of {source.table} that can be read"
            yield _problem(document, ("sources", index), str(error), expected)


def _read_first(source: SourceSettings, base: Path) -> None:
    """Opens every file of the source and reads the beginning of the first."""
    mapping.check(source)
    columns = mapping.source_columns(source)
    for file in open_source(source, base, source_types())[:1]:
        next(iter(file.chunks(columns)), None)


def _connections(
    context: Context, workspace: WorkspaceSettings, document: Document
) -> Iterator[Problem]:
    up = listens("127.0.0.1", context.settings.sandbox_port)
    for index, connection in enumerate(workspace.connections):
        if context.has_own_sandbox(workspace.workspace, connection.name) and not up:
            continue  # it answers while `rightsend up` runs
        sentence = check_connection(connection)
        if sentence is not None:
            yield _problem(
                document,
                ("connections", index),
                sentence,
                f"a {connection.type} account that answers",
            )


def _problem(document: Document, path: KeyPath, found: str, expected: str) -> Problem:
    return Problem(str(document.file), document.line(path), dotted(path), found, expected)
