"""The audit trail: who did which administrative act when, and what came of it.

``<workspace_dir>/audit/NNNNNN.ndjson``, one record a line, only ever appended to; past
``MAX_FILE_BYTES`` the next file begins. Each record holds the hash of the one before, keyed with
the installation's secret: who changes, removes or inserts a record breaks the chain from there on.
What was cut off its end only a hash that was kept elsewhere can tell; web processes and workers
write each record to their log, too.

A person appears as a keyed hash that is used nowhere else, so that it is not told apart from chance
by anybody without the secret.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from settings.secret import all_of

ACTS = {
    "key.created": "an API key was made",
    "key.rotated": "an API key got a successor and an end",
    "key.revoked": "an API key was taken back",
    "secret.rotated": "the installation's secret was replaced",
    "config.changed": "a process started with a configuration of another digest",
    "snapshot.activated": "answers were set to another snapshot",
    "customer.shown": "what is known about a customer was looked at",
    "customer.erased": "a customer was erased",
    "segment.created": "a segment job was started",
    "segment.cancelled": "a segment job was stopped",
    "segment.pushed": "a segment was written into a host tool",
    "segment.triggered": "a campaign was started for a segment's members",
    "members.downloaded": "the members of a segment were read",
    "scores.exported": "scores of customers were written to files",
    "scores.synced": "changed scores were written into host tools, by hand",
    "night.run": "a nightly job was run by hand",
    "sources.imported": "the sources were read by hand",
}
MAX_FILE_BYTES = 8 * 1024 * 1024
_FIRST = "0" * 64
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Verified:
    """What a look at the whole trail found; ``broken`` names the first record that does not fit."""

    records: int
    newest: str  # hash of the newest record
    broken: str | None = None


class Trail:
    """The audit trail of one workspace."""

    def __init__(
        self,
        workspace_dir: Path,
        secret: bytes,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = workspace_dir / "audit"
        self._keys = [_derived(each) for each in all_of(secret)]
        self._now = now

    def note(self, who: str, act: str, outcome: str, about: Mapping[str, Any]) -> Mapping[str, Any]:
        """Append a record, durably; returns it.

        ``who`` is ``key:ID``, ``user:NAME`` or ``job:ID``; ``act`` one of ACTS; ``about`` holds ids
        and numbers, never a person (see person()). A full disk does not undo what was done: then
        the record has no ``hash``, and the log is the only place where it can stand.
        """
        record = {
            "at": self._now().astimezone(UTC).isoformat(timespec="milliseconds"),
            "who": who,
            "act": act,
            "outcome": outcome,
            "about": dict(about),
        }
        if act not in ACTS:
            raise ValueError(f"{act} is not among trail.ACTS")
        try:
            with self._alone():
                return self._append(record)
        except OSError:
            return record

    def person(self, customer: str) -> str:
        """How a customer's id stands in the trail."""
        text = b"person\0" + customer.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._keys[0], digest_size=16).hexdigest()

    def newest(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """At most ``limit`` records, newest first; those before record number ``before``."""
        found: list[dict[str, Any]] = []
        for path in reversed(self._files()):
            for line in _backwards(path):
                record = _read(line)
                if record is None or (before is not None and record["seq"] >= before):
                    continue
                found.append(record)
                if len(found) == limit:
                    return found
        return found

    def verify(self, expected: str | None = None) -> Verified:
        """Reads everything. ``expected``: a hash that was kept elsewhere and must be there."""
        number, before, seen = 0, _FIRST, expected is None
        for path in self._files():
            for line in path.read_bytes().splitlines():
                record = _read(line)
                number += 1
                if record is None or record["seq"] != number or not self._fits(record, before):
                    return Verified(number - 1, before, f"{path.name}, record {number}")
                before = record["hash"]
                seen = seen or before == expected
        return Verified(number, before, None if seen else f"no record has the hash {expected}")

    def _append(self, record: dict[str, Any]) -> dict[str, Any]:
        files = self._files()
        newest = self.newest(1)
        seq, before = (newest[0]["seq"], newest[0]["hash"]) if newest else (0, _FIRST)
        record = {"seq": seq + 1, **record, "before": before}
        record["hash"] = _hash(self._keys[0], record)
        path = files[-1] if files else self._folder / f"{1:06}.ndjson"
        if files and path.stat().st_size >= MAX_FILE_BYTES:
            path = self._folder / f"{int(path.stem) + 1:06}.ndjson"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, _line_feed_if_torn(path) + orjson.dumps(record) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        return record

    def _fits(self, record: Mapping[str, Any], before: str) -> bool:
        content = {name: value for name, value in record.items() if name != "hash"}
        own = [_hash(key, content) for key in self._keys]
        return record["before"] == before and record["hash"] in own

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.ndjson"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _derived(secret: bytes) -> bytes:
    return hashlib.blake2b(b"audit", key=secret[:64], digest_size=32).digest()


def _hash(key: bytes, record: Mapping[str, Any]) -> str:
    text = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, key=key, digest_size=32).hexdigest()


def _read(line: bytes) -> dict[str, Any] | None:
    """A record; None for a line that is none."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("seq"), int)
    return record if whole and {"before", "hash"} <= set(record) else None


def _backwards(path: Path) -> Iterator[bytes]:
    """The lines of a file, last first, without reading it whole."""
    with path.open("rb") as file:
        end, rest = file.seek(0, os.SEEK_END), b""
        while end:
            start = max(0, end - _CHUNK)
            file.seek(start)
            first, *lines = (file.read(end - start) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            end, rest = start, first
        if rest:
            yield rest


def _line_feed_if_torn(path: Path) -> bytes:
    """The power may have failed in the middle of the last record."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return b""
        file.seek(-1, os.SEEK_END)
        return b"" if file.read(1) == b"\n" else b"\n"
