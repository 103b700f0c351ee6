"""The folder or bucket, by fsspec: whole files only, errors named by what to do about them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import Retry, Stop

# Kinds of storage → the package that speaks to it, None: none is needed. A fixed list: fsspec
# knows others that run commands or read other people's addresses.
PACKAGES: Mapping[str, str | None] = {
    "file": None, "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
}  # fmt: skip
FOR_A_PERSON = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
)


@dataclass(frozen=True)
class Store:
    """Paths are below ``root``. Every method raises Retry or Stop."""

    fs: Any = field(repr=False)
    root: str
    local: bool

    def put(self, path: str, content: bytes) -> None:
        """The whole file or nothing of it; an older one of the name is replaced."""
        with _told(self.root):
            if not self.local:
                self.fs.pipe_file(self._at(path), content)
                return
            target = self._at(path)
            self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            half = f"{target}.half"
            with self.fs.open(half, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self.fs.mv(half, target)

    def get(self, path: str) -> bytes:
        with _told(self.root):
            content: bytes = self.fs.cat_file(self._at(path))
            return content

    def exists(self, path: str) -> bool:
        with _told(self.root):
            self.fs.invalidate_cache()
            return bool(self.fs.exists(self._at(path)))

    def names(self, folder: str) -> list[str]:
        """What stands in a folder, sorted; half-written files are left out."""
        with _told(self.root):
            self.fs.invalidate_cache()
            try:
                found = self.fs.ls(self._at(folder), detail=False)
            except FileNotFoundError:
                return []
        names = (str(each).rstrip("/").rpartition("/")[2] for each in found)
        return sorted(name for name in names if name and not name.endswith(".half"))

    def remove(self, path: str) -> None:
        """A file, or a folder with all that is in it; who is not there is fine."""
        with _told(self.root):
            self.fs.invalidate_cache()
            if self.fs.exists(self._at(path)):
                self.fs.rm(self._at(path), recursive=True)

    def rename(self, folder: str, name: str) -> None:
        """A local folder, in one step."""
        with _told(self.root):
            self.fs.mv(self._at(folder), self._at(name))

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"


def open_store(url: str, storage_options: Mapping[str, Any]) -> Store:
    """Raises Stop when the package that speaks to the storage is not installed."""
    import fsspec  # for who opens a store, not for the web's processes

    protocol = url.partition("://")[0] if "://" in url else "file"
    package = PACKAGES[protocol]
    try:
        fs, root = fsspec.core.url_to_fs(url, **storage_options)
    except ImportError:
        raise Stop(f"{protocol}:// needs the package {package}: pip install {package}") from None
    except (TypeError, ValueError):  # their texts may show a key
        raise Stop(f"storage_options do not fit {protocol}://") from None
    return Store(fs, root.rstrip("/"), protocol == "file")


@contextmanager
def _told(root: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror if error.errno else type(error).__name__
        what = f"{root}: {reason}"
        if isinstance(error, PermissionError | FileNotFoundError) or error.errno in FOR_A_PERSON:
            raise Stop(what) from error
        raise Retry(what) from error
