"""Old workers go on answering until the new ones can: in a reload no call waits for their imports.

gunicorn starts the new workers of a reload (SIGHUP) and at once tells the old ones to stop; for as
long as Python imports then, nobody takes calls. So a worker that is told to stop first looks here
whether it has been replaced. The memory is shared: made in the master, before it forks.
"""

from __future__ import annotations

import mmap
import struct

MOST_S = 10.0  # that an old worker waits: it ends when new ones cannot start, too
_WORKERS = 4096  # told apart by their age, gunicorn's running number of workers
_LAST = struct.Struct("Q")


class Handover:
    """Which workers a reload replaces, and which of the newer ones are ready."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _LAST.size + _WORKERS)

    def begin(self, last: int) -> None:
        """In the master: the workers up to the age ``last`` are to be replaced."""
        self._memory[_LAST.size :] = bytes(_WORKERS)
        self._memory[: _LAST.size] = _LAST.pack(last)

    def ready(self, age: int) -> None:
        """In a worker: it takes calls."""
        self._memory[_LAST.size + age % _WORKERS] = 1

    def replaced(self, age: int, workers: int) -> bool:
        """Whether the worker of this age may stop: no reload replaces it, or ``workers`` newer
        ones are ready."""
        (last,) = _LAST.unpack(self._memory[: _LAST.size])
        return age > last or sum(self._memory[_LAST.size :]) >= workers


handover = Handover()
