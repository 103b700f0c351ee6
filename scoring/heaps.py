"""How threads share memory."""

from __future__ import annotations

import contextlib
import ctypes

HEAPS = 2
_M_ARENA_MAX = -8  # malloc.h


def share() -> None:
    """Threads that begin from now on allocate from HEAPS heaps (with glibc; elsewhere as ever).

    By default each thread has a heap of its own, and what is freed there serves no other: a night
    took a quarter more memory, and no less time.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)
