"""The files in which web workers share their counts: what a gone worker leaves is added to one.

Without this each worker that is replaced would leave two files for ever, and every scrape read all
of them. A lock keeps a scrape from seeing the same count twice, or not at all.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_GONE = "gone"  # in the place of a process id
_LASTING = ("counter", "histogram")


def read(folder: Path) -> bytes:
    """All counts, in the exposition format."""
    collector: Any = MultiProcessCollector
    registry = CollectorRegistry()
    with _locked(folder, fcntl.LOCK_SH):
        collector(registry, str(folder))
        return generate_latest(registry)


def fold(folder: Path, pid: int) -> None:
    """Adds up what the process has counted with what all before it have; its gauges go.

    Never raises: the process that calls it has others to look after.
    """
    with suppress(OSError, ValueError, RuntimeError), _locked(folder, fcntl.LOCK_EX):
        mark: Any = mark_process_dead
        mark(pid, str(folder))
        for kind in _LASTING:
            left, kept = folder / f"{kind}_{pid}.db", folder / f"{kind}_{_GONE}.db"
            if left.exists():
                _add(kept, [path for path in (kept, left) if path.exists()])
                left.unlink()


def _add(kept: Path, files: list[Path]) -> None:
    merge: Any = MultiProcessCollector.merge
    metrics = merge([str(path) for path in files], accumulate=False)
    beside = kept.with_suffix(".new")
    beside.unlink(missing_ok=True)
    written: Any = MmapedDict(str(beside))
    for metric in metrics:
        for sample in metric.samples:
            labels = dict(sample.labels)
            key = mmap_key(
                metric.name, sample.name, [*labels], [*labels.values()], metric.documentation
            )
            written.write_value(key, sample.value, 0.0)
    written.close()
    beside.replace(kept)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
