"""Job functions that the tests' workers run, by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def note(path: str, word: str) -> str:
    with Path(path).open("a") as file:
        file.write(f"{word} {os.getpid()}\n")
    return word


def hang_once(path: str) -> None:
    """The first time: notes that it began, and hangs. Then: notes that it is done."""
    if Path(path).exists():
        note(path, "done")
    else:
        note(path, "began")
        time.sleep(600)


def kill_itself(path: str) -> None:
    note(path, "began")
    os.kill(os.getpid(), signal.SIGKILL)


def fail(path: str) -> None:
    note(path, "began")
    raise RuntimeError("no luck")
