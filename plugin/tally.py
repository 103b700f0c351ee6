"""How many decisions a process has numbered, kept where SIGKILL does not reach it.

Eight bytes of a mapped file in the workspace's folder: the kernel keeps what was written last,
whatever becomes of the process. The file is locked while the process lives, so that another one
can tell, when the lock is gone, how far it came and that nothing more is to be waited for.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

FOLDER = "decisions"  # in the workspace's folder
_COUNT = struct.Struct("=Q")
_SUFFIX = ".count"


class Tally:
    """The open file of this process; ``count[0]`` is what it holds."""

    def __init__(self, workspace_dir: Path, process: str) -> None:
        """Raises OSError when the file cannot be made."""
        folder = workspace_dir / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{process}{_SUFFIX}"
        draft = folder / f".{process}"
        self._file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.write(self._file, _COUNT.pack(0))  # not a hole: a full disk must not kill us later
            self._map = mmap.mmap(self._file, _COUNT.size)
            draft.rename(self._path)  # locked before anybody looks for it
        except OSError:
            os.close(self._file)
            draft.unlink(missing_ok=True)
            raise
        self.count = memoryview(self._map).cast("Q")

    def remove(self) -> None:
        """Its end was told."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leaves the file to whoever tells the end of this process."""
        with contextlib.suppress(OSError):
            os.close(self._file)


def left_behind(workspace_dir: Path) -> Iterator[tuple[str, int, Path]]:
    """(process, how many decisions it numbered, the file to remove once that is told) of those
    that are gone."""
    for path in sorted((workspace_dir / FOLDER).glob(f"*{_SUFFIX}")):
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue  # another process told it and removed it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (count,) = _COUNT.unpack(os.read(file, _COUNT.size))
        except (BlockingIOError, struct.error):
            continue  # it lives
        finally:
            os.close(file)
        yield path.name.removesuffix(_SUFFIX), count, path
