"""Memory that is freed goes back: glibc's malloc keeps it otherwise. Elsewhere nothing is done."""

from __future__ import annotations

import contextlib
import ctypes

HEAPS = 2
_M_ARENA_MAX = -8  # malloc.h
_MISSING = (OSError, AttributeError, TypeError)  # no such library, function, or way to open it


def share() -> None:
    """Threads that begin from now on allocate from HEAPS heaps.

    By default each thread has a heap of its own, and what is freed there serves no other: a night
    took a quarter more memory, and no less time.
    """
    with contextlib.suppress(*_MISSING):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """What was freed in the middle of a heap goes back to the system, too."""
    with contextlib.suppress(*_MISSING):
        ctypes.CDLL(None).malloc_trim(0)
