"""What Linux tells about processes: dying with the parent, families, memory.

Follows prctl(2) (PR_SET_PDEATHSIG) and proc(5) (stat, smaps_rollup).
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
# Loaded at import: dlopen between fork and exec is not safe.
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sig: int = signal.SIGKILL, *, parent: int | None = None) -> None:
    """Let the kernel send this process ``sig`` when the thread that started it ends.

    ``parent`` is the parent's process id as known before the fork: if that parent is already
    gone, the kernel would never tell, so the process ends itself at once.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), sig)


def started_at(pid: int) -> int | None:
    """The process's start time in clock ticks since boot; None when there is no such process.

    A process id is used again one day; together with the start time it is not.
    """
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def parents() -> dict[int, int]:
    """Process id → parent's process id, of every process that can be seen."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # ended meanwhile
            found[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def family(root: int) -> list[int]:
    """``root`` and its descendants."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue.extend(children.get(pid, ()))
    return found


def memory_mb(pids: list[int]) -> float:
    """Memory of the processes together in MB (PSS: a page that is shared counts once)."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def _pss_kb(pid: int) -> int:
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0  # ended meanwhile
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
