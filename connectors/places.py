"""Files of a folder, a glob or object storage, whichever a path names.

Anything with ``://`` is opened by fsspec (``s3://``, ``gs://``, ``abfs://``, …), which takes its
credentials from the environment, as its own documentation says.
https://filesystem-spec.readthedocs.io/en/latest/
"""

from __future__ import annotations

import glob
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from connectors.inbound import Unreadable

_CHANGED = ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created")


@dataclass(frozen=True)
class Found:
    """A file. ``read`` gives all of it and raises Unreadable."""

    name: str
    fingerprint: str
    read: Callable[[], bytes] = field(repr=False)


def files(path: str, base: Path, *, suffix: str) -> list[Found]:
    """The file of this path, or all with the suffix below that folder; or those of a glob.

    Local ones oldest first, remote ones by name (which begins with the date, or holds it). Raises
    Unreadable when there is no such place.
    """
    return _remote(path, suffix) if "://" in path else _local(base / path, suffix)


def _local(path: Path, suffix: str) -> list[Found]:
    if glob.has_magic(str(path)) and not path.exists():
        places = [Path(each) for each in glob.glob(str(path), recursive=True)]  # noqa: PTH207
    elif path.exists():
        places = [path]
    else:
        raise Unreadable(f"{path}: no such file or folder")
    paths = {each for each in places if each.is_file()}
    for folder in places:
        paths |= {each for each in folder.rglob(f"*{suffix}") if each.is_file()}
    found = []
    for each in paths:
        try:
            status = each.stat()
        except OSError as error:
            raise Unreadable(f"{each}: {error.strerror}") from error
        fingerprint = f"{status.st_size}:{status.st_mtime_ns}"
        read = _reader(str(each), each.read_bytes)
        found.append((status.st_mtime_ns, str(each), Found(str(each), fingerprint, read)))
    return [each for _, _, each in sorted(found, key=lambda entry: entry[:2])]


def _remote(path: str, suffix: str) -> list[Found]:
    try:
        import fsspec  # an extra: most keep their files in a folder
    except ImportError:
        raise Unreadable(
            f"{path}: reading object storage needs fsspec and its file system: "
            "pip install 'fsspec[s3]' (or [gcs], [abfs])"
        ) from None
    # Each file system raises its own errors; this is the edge at which they become one.
    try:
        system, root = fsspec.core.url_to_fs(path)
        find = system.glob if glob.has_magic(root) else system.find
        listed = find(root, detail=True)
    except Exception as error:
        raise Unreadable(f"{path}: {_sentence(error)}") from error
    return [
        Found(
            system.unstrip_protocol(name),
            _fingerprint(details),
            _reader(name, partial(system.cat_file, name)),
        )
        for name, details in sorted(listed.items())
        if name.endswith(suffix) and details.get("type") == "file"
    ]


def _reader(name: str, read: Callable[[], bytes]) -> Callable[[], bytes]:
    def guarded() -> bytes:
        try:
            return read()
        except Exception as error:
            raise Unreadable(f"{name}: {_sentence(error)}") from error

    return guarded


def _fingerprint(details: dict[str, Any]) -> str:
    changed = next((str(details[key]) for key in _CHANGED if details.get(key)), "")
    return f"{details.get('size')}:{changed}"


def _sentence(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
