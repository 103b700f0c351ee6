"""One process at a time works on a folder of files; on another machine nobody knows of it."""

from __future__ import annotations

import fcntl
import os
import tempfile
from hashlib import blake2b
from pathlib import Path

from connectors.errors import Stop


class Claim:
    """Held from ``take`` until ``give_back``, or the end of the process."""

    def __init__(self, place: str) -> None:
        name = blake2b(place.encode(), digest_size=16).hexdigest()
        self._path = Path(tempfile.gettempdir()) / f"rightsend-{os.getuid()}-{name}.lock"
        self._file: int | None = None

    def take(self, *, wait: bool) -> bool:
        """Whether it is ours now; ``wait`` for whoever has it. Raises Stop."""
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Stop(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def give_back(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
