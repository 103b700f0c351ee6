"""Threads share memory and what is freed goes back: in processes of their own."""

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


FREED = """
import ctypes, sys
from scoring import heaps
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
blocks = [libc.malloc(100_000) for _ in range(1_000)]
for block in blocks: ctypes.memset(block, 1, 100_000)
for block in blocks[:-1]: libc.free(block)  # the last one holds the heap's end
before = resident()
if sys.argv[1] == "back":
    heaps.give_back()
print(before - resident())
"""


def given_back(how: str) -> int:
    """Bytes."""
    done = subprocess.run(
        [sys.executable, "-c", FREED, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed")
def test_what_was_freed_goes_back() -> None:
    assert given_back("kept") < 10_000_000
    assert given_back("back") > 80_000_000
