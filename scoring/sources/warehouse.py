"""Source type ``ibis``: a table or a query of a database or warehouse, by an Ibis URL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis

from scoring.sources.chunk import Chunk, SourceFile, missing_columns
from scoring.sources.errors import SourceError
from scoring.sources.parquet import CHUNK_ROWS, chunks
from settings.workspace import SourceSettings


def open_source(source: SourceSettings, base: Path) -> list[SourceFile]:
    """One unit without a fingerprint: it is read every time, and known rows are left out by their
    id.

    A relative DuckDB or SQLite file (``duckdb://shop.duckdb``) starts at ``base``.
    """
    if not source.url or bool(source.relation) == bool(source.sql):
        raise SourceError(f"source {source.name}: type ibis needs url, and relation or sql")
    name = f"{_shown(source.url)}:{source.relation or 'sql'}"
    url = _absolute(source.url, base)
    return [SourceFile(name, None, partial(_chunks, source, name, url))]


def _shown(url: str) -> str:
    """The URL without user and password (it is written to reports)."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _absolute(url: str, base: Path) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("duckdb", "sqlite"):
        return url
    location = url.split("://", 1)[1]
    file, mark, options = location.partition("?")
    read_only = f"{mark}{options}" if mark else ""
    if parts.scheme == "duckdb" and "read_only" not in options:
        read_only = f"?{options}&read_only=True" if options else "?read_only=True"
    path = base / file
    if not path.is_file():
        raise SourceError(f"{path}: no such database file")
    return f"{parts.scheme}://{path}{read_only}"


def _chunks(
    source: SourceSettings, name: str, url: str, columns: Collection[str]
) -> Iterator[Chunk]:
    # Every back end raises its own errors; this is the edge at which they become one.
    try:
        backend: Any = ibis.connect(url)
    except ImportError as error:
        scheme = urlsplit(url).scheme
        extra = {"postgresql": "postgres"}.get(scheme, scheme)
        raise SourceError(
            f"{name}: its back end is not installed: pip install 'ibis-framework[{extra}]'"
        ) from error
    except Exception as error:
        raise SourceError(f"{name}: cannot connect: {_problem(error, url)}") from error
    try:
        table = backend.sql(source.sql) if source.sql else backend.table(source.relation)
        if problem := missing_columns(name, columns, table.columns):
            raise SourceError(problem)
        selected = table.select(*columns) if columns else table
        batches = selected.to_pyarrow_batches(chunk_size=131_072)
        yield from chunks(iter(batches), CHUNK_ROWS, None)
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"{name}: cannot be read: {_problem(error, url)}") from error
    finally:
        backend.disconnect()


def _problem(error: Exception, url: str) -> str:
    """The first line of a driver's error, without the password that it may quote."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    secret = urlsplit(url).netloc.rpartition("@")[0]
    return text.replace(secret, "…") if secret else text
