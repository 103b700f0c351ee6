"""A finished segment's members, as the worker stored them: gzip on disk, streamed as they are."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flask import Response

FILES = {"csv": "members.csv.gz", "ndjson": "members.ndjson.gz"}
TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
_CHUNK_BYTES = 64 * 1024


def path(workspace_dir: Path, segment_id: str, form: str) -> Path:
    """Where the worker leaves the members of a segment."""
    return workspace_dir / "segments" / segment_id / FILES[form]


def download(file: Path, name: str, form: str, *, as_gzip: bool) -> Response:
    """Stream the members; compressed when the client takes gzip, memory stays flat either way.

    Raises FileNotFoundError when the worker left no file.
    """
    stored = file.open("rb")
    content = stored if as_gzip else gzip.GzipFile(fileobj=stored)
    response = Response(_chunks(content), content_type=TYPES[form])
    response.call_on_close(stored.close)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response.headers["Vary"] = "Accept-Encoding"
    if as_gzip:
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(file.stat().st_size)
    return response


def _chunks(handle: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := handle.read(_CHUNK_BYTES):
        yield chunk
