"""Source type ``file``: CSV, NDJSON or Parquet, plain, .gz or .zst; one file, a folder or a
glob.
"""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from scoring.sources import delimited, ndjson, parquet
from scoring.sources.chunk import Chunk, SourceFile
from scoring.sources.errors import SourceError
from settings.workspace import SourceSettings

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = (".gz", ".zst")


def open_source(source: SourceSettings, base: Path) -> list[SourceFile]:
    """The files of a source, oldest first (so that the newest wins); relative paths start at
    ``base``.

    Raises SourceError when nothing matches. A file that cannot be read says so when it is read.
    """
    if not source.path:
        raise SourceError(f"source {source.name}: type file needs a path")
    found = []
    for path in _matching(source, base):
        try:
            status = path.stat()
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from error
        found.append((status.st_mtime_ns, str(path), status.st_size))
    return [
        SourceFile(name, f"{size}:{mtime_ns}", partial(_chunks, source, Path(name)))
        for mtime_ns, name, size in sorted(found)
    ]


def _matching(source: SourceSettings, base: Path) -> list[Path]:
    pattern = base / (source.path or "")
    if pattern.is_dir():
        found = sorted(path for path in pattern.iterdir() if _is_data(path, source.format))
        if not found:
            raise SourceError(f"{pattern}: no CSV, NDJSON or Parquet file in this folder")
        return found
    if pattern.is_file():
        return [pattern]
    if pattern.exists():  # a pipe or a device: reading may wait or go on for ever
        raise SourceError(f"{pattern}: neither a file nor a folder")
    if glob.has_magic(str(pattern)):
        found = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207
        found = [path for path in found if path.is_file()]
        if found:
            return found
        raise SourceError(f"{pattern}: no file matches")
    raise SourceError(f"{pattern}: no such file or folder")


def _is_data(path: Path, explicit: str | None) -> bool:
    if path.name.startswith((".", "_")) or not path.is_file():
        return False
    return explicit is not None or _format_of(path) is not None


def _format_of(path: Path) -> str | None:
    plain = path.with_suffix("") if path.suffix in _PACKED else path
    return FORMATS.get(plain.suffix.lower())


def _chunks(source: SourceSettings, path: Path, columns: Collection[str]) -> Iterator[Chunk]:
    form = source.format or _format_of(path)
    if form == "csv":
        tab = _format_of(path) == "csv" and ".tsv" in path.suffixes and source.delimiter == ","
        return delimited.read(
            path,
            columns,
            delimiter="\t" if tab else source.delimiter,
            header=source.header,
            encoding=source.encoding,
        )
    if form == "ndjson":
        return ndjson.read(path, columns, encoding=source.encoding)
    if form == "parquet":
        return parquet.read(path, columns)
    raise SourceError(f"{path}: format not known by its name; set format: csv, ndjson or parquet")
