"""One sync of a connection at a time, on this machine, even after kill -9."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import Busy, Stop


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold ``path`` (made if missing) until the block ends; the kernel lets go when we die.

    A file of its own, because closing any handle of a SQLite file drops SQLite's own locks.
    Raises Busy when another process or thread holds it, and Stop when it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"{what} is already running") from None
        yield
