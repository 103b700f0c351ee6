"""Threads share memory: in a process of its own, for it holds for the whole of one."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

THREADS = 8
PROGRAM = f"""
import ctypes, sys, threading
from scoring import heaps
if sys.argv[1] == "shared":
    heaps.share()
libc, held = ctypes.CDLL(None), []
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier({THREADS})
def hold():
    held.append(libc.malloc(1000))
    together.wait()
threads = [threading.Thread(target=hold) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps_used(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps to share")
def test_threads_share_heaps() -> None:
    assert heaps_used("shared") <= 2 < heaps_used("apart")
