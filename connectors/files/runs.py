"""What exactly-once means for files: a journal while a run is made, and files when it is whole.

Delivery hands over a request, books it when ``append`` returns, and hands it over again when it
died in between, then perhaps cut otherwise. So requests do not become files themselves:

1. ``append`` writes each request into ``_open-RUN/``, numbered, and returns when it stands there.
2. ``publish``, at the end, reads them in their order, the later of two values over the earlier,
   and writes the files of the run with each customer once.
3. A run appears whole: locally its folder is renamed, in object storage ``manifest.json`` is
   written last. Then the journal is removed.

A process that dies leaves a journal behind, which the next run goes on with; a journal whose run
has appeared already is removed. So nothing that was booked is lost, and no row comes twice.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

import orjson

from connectors.errors import Stop
from connectors.files.claim import Claim
from connectors.files.formats import FORMATS
from connectors.files.layout import Change, Layout
from connectors.files.merge import Merge, merging
from connectors.files.store import Store

OPEN, MAKING = "_open-", "_making-"
MANIFEST, LATEST = "manifest.json", "latest.json"
STATE = "_state.ndjson.gz"  # of a full run: what the next one is made of
RUN_FORMAT = "%Y%m%dT%H%M%S.%fZ"


@dataclass
class Runs:
    """The runs in one folder of a store. ``append`` is called by several threads."""

    store: Store
    folder: str
    layout: Layout
    now: Callable[[], datetime]  # UTC
    _run: str | None = None
    _number: int = 0
    _mutex: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self._claim = Claim(f"{self.store.root}/{self.folder}")

    def append(self, lines: Sequence[bytes]) -> None:
        """Into the journal of this run. Raises Retry or Stop."""
        with self._mutex:
            if self._run is None:
                self._claim.take(wait=True)
                self._begin()
            self._number += 1
            path = f"{self.folder}/{OPEN}{self._run}/{self._number:08}.ndjson"
        self.store.put(path, b"\n".join(lines))

    def publish(self) -> None:
        """Make the files of this run, or of one that a dead process left; neither: do nothing.

        Raises Retry or Stop; the journal then waits for the next run.
        """
        try:
            # Unless somebody is at it, whatever is left behind is of the dead.
            if self._run is None and self._claim.take(wait=False):
                self._run = self._left_behind()
            if self._run is not None:
                self._publish(self._run)
        finally:
            self._run = None
            self._claim.give_back()

    def close(self) -> None:
        """Leave what was not published to the next run."""
        self._claim.give_back()

    def _begin(self) -> None:
        run = self._left_behind() or self._new()
        parts = self.store.names(f"{self.folder}/{OPEN}{run}")
        self._number = int(parts[-1].partition(".")[0]) if parts else 0
        self._run = run

    def _left_behind(self) -> str | None:
        for name in self.store.names(self.folder):
            run = name.removeprefix(OPEN)
            if run != name and _moment(run) is not None:  # whatever else is called so is not ours
                if not self.store.exists(f"{self.folder}/{run}/{MANIFEST}"):
                    return run
                self._finish(run)
        return None

    def _new(self) -> str:
        """Named by the time, and sorted after all that are there whatever the clock says."""
        moments = map(_moment, self.store.names(self.folder))
        newest = max(filter(None, moments), default=datetime.min)
        moment = max(self.now().replace(tzinfo=None), newest + timedelta(microseconds=1))
        return moment.strftime(RUN_FORMAT)

    def _publish(self, run: str) -> None:
        target = f"{self.folder}/{run}"
        making = f"{self.folder}/{MAKING}{run}" if self.store.local else target
        self.store.remove(making)  # what a dead process had begun
        with merging(keep_removed=not self.layout.full) as merge:
            if self.layout.full and (state := self._state_before()) is not None:
                with gzip.open(io.BytesIO(self.store.get(state))) as before:
                    _read(merge, state, before)
            journal = f"{self.folder}/{OPEN}{run}"
            for part in self.store.names(journal):
                path = f"{journal}/{part}"
                _read(merge, path, self.store.get(path).splitlines())
            if self.layout.full:
                self.store.put(f"{making}/{STATE}", _packed(merge.all()))
            files = list(self._files(making, merge))
        rows = sum(file["rows"] for file in files)
        manifest = {"run": run, "full": self.layout.full, "rows": rows, "files": files}
        self.store.put(f"{making}/{MANIFEST}", orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        if self.store.local:
            self.store.rename(making, target)
        self._finish(run)

    def _finish(self, run: str) -> None:
        """It has appeared."""
        self.store.put(f"{self.folder}/{LATEST}", orjson.dumps({"run": run}))
        self.store.remove(f"{self.folder}/{OPEN}{run}")

    def _files(self, making: str, merge: Merge) -> Iterator[dict[str, Any]]:
        """Writes the files of a run; gives what the manifest says of each."""
        for number, (rows, content) in enumerate(self._contents(merge), start=1):
            name = f"part-{number:05}.{self.layout.format}"
            self.store.put(f"{making}/{name}", content)
            checksum = sha256(content).hexdigest()
            yield {"name": name, "rows": rows, "bytes": len(content), "sha256": checksum}

    def _contents(self, merge: Merge) -> Iterator[tuple[int, bytes]]:
        """(rows, content) of each file; at least one, for columns are told even of nobody."""
        make, most_bytes = FORMATS[self.layout.format], self.layout.file_bytes
        columns = self.layout.columns(merge.kinds)
        file = make(columns, most_bytes)
        for row in map(self.layout.row, merge.all()):
            if not file.add(row):
                yield file.rows, file.content()
                file = make(columns, most_bytes)
                file.add(row)
        yield file.rows, file.content()

    def _state_before(self) -> str | None:
        """The file with what the newest full run says, None before the first. Raises Stop when it
        is gone, for then nobody knows."""
        latest = f"{self.folder}/{LATEST}"
        if not self.store.exists(latest):
            return None
        try:
            run = orjson.loads(self.store.get(latest))["run"]
            if _moment(run) is None:
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise Stop(
                f"{latest} does not name a run: put it right, or remove it and the"
                " connection's state file to begin anew"
            ) from None
        state = f"{self.folder}/{run}/{STATE}"
        if not self.store.exists(state):
            raise Stop(
                f"{self.folder} has no full run {run}, of which the next would be made: put it"
                " back, or take another url and remove the connection's state file to begin anew"
            )
        return state


def _read(merge: Merge, path: str, lines: Iterable[bytes]) -> None:
    """Raises Stop for a damaged file."""
    try:
        merge.add(lines)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Stop(
            f"{path} is damaged: put it back as it was, or remove it and the connection's state"
            " file to begin anew"
        ) from error


def _moment(name: str) -> datetime | None:
    """Of a run; None: it is none."""
    try:
        return datetime.strptime(name, RUN_FORMAT)
    except ValueError:
        return None


def _packed(rows: Iterable[Change]) -> bytes:
    content = io.BytesIO()
    with gzip.open(content, "wb", compresslevel=1) as file:
        for row in rows:
            file.write(orjson.dumps(row) + b"\n")
    return content.getvalue()
