"""API keys: scoped, hashed, one file a workspace.

A key reads ``rs_<workspace>_<id>_<secret>``, so that a request names its workspace by its key.
Only the SHA-256 of the secret part is kept: the secret is 160 random bits, so that a slow password
hash would protect nothing more.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONTENT = "content"
EVENTS = "events"
SEGMENTS = "segments"
ADMIN = "admin"
SCOPES = (CONTENT, EVENTS, SEGMENTS, ADMIN)

_KEY = re.compile(r"rs_([a-z0-9][a-z0-9_-]{0,39})_([0-9a-f]{8})_([0-9a-f]{40})")
_NOBODY = hashlib.sha256(b"no such key").hexdigest()


class WrongKeyError(Exception):
    """The key is malformed, unknown or revoked. The caller answers 401."""


class WrongScopeError(Exception):
    """The key is right but was not made for this. The caller answers 403."""

    def __init__(self, scope: str, scopes: Sequence[str]) -> None:
        self.scope = scope
        self.scopes = tuple(scopes)
        super().__init__(
            f"This key has the scope {', '.join(self.scopes)}; this route needs {scope}."
        )


class KeysError(Exception):
    """keys.json cannot be read as keys, or a key was asked for that cannot be."""


@dataclass(frozen=True)
class Key:
    """What is known about a key; never its secret."""

    key_id: str
    scopes: tuple[str, ...]
    label: str
    created_at: str  # ISO 8601, UTC
    digest: str  # SHA-256 of the secret part, hex

    def to_json(self) -> dict[str, Any]:
        """For listings: without the digest."""
        return {
            "id": self.key_id,
            "scopes": list(self.scopes),
            "label": self.label,
            "created_at": self.created_at,
        }


def workspace_of(key: str) -> str | None:
    """The workspace that a key's text names, or None when it is no key at all."""
    match = _KEY.fullmatch(key)
    return match.group(1) if match else None


class Keys:
    """The keys of one workspace (``<workspace_dir>/keys.json``).

    Reading notices a changed file by itself, so that a revoked key stops working at once in every
    web worker.
    """

    def __init__(
        self, workspace_dir: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path = workspace_dir / "keys.json"
        self._workspace = workspace_dir.name
        self._now = now
        self._seen: tuple[int, int, int] | None = None
        self._keys: Mapping[str, Key] = {}

    def create(self, scopes: str | Sequence[str], *, label: str = "") -> tuple[str, str]:
        """Make a key; returns (key id, the key's text). The text is not to be had again.

        Raises KeysError for an unknown scope or none.
        """
        wanted = (scopes,) if isinstance(scopes, str) else tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in wanted if scope not in SCOPES]
        if unknown or not wanted:
            raise KeysError(
                f"scope: found {', '.join(unknown) or 'none'}, expected some of {', '.join(SCOPES)}"
            )
        key_id, secret = secrets.token_hex(4), secrets.token_hex(20)
        created_at = self._now().astimezone(UTC).isoformat(timespec="seconds")
        with self._rewriting() as keys:
            while key_id in keys:
                key_id = secrets.token_hex(4)
            keys[key_id] = Key(key_id, wanted, label, created_at, _digest(secret))
        return key_id, f"rs_{self._workspace}_{key_id}_{secret}"

    def revoke(self, key_id: str) -> bool:
        """Forget a key; False when there is none of this id."""
        with self._rewriting() as keys:
            return keys.pop(key_id, None) is not None

    def list(self) -> tuple[Key, ...]:
        """All keys, oldest first."""
        return tuple(sorted(self._load().values(), key=lambda key: (key.created_at, key.key_id)))

    def verify(self, key: str, scope: str) -> Key:
        """The key of this text if it may do ``scope``.

        Raises WrongKeyError or WrongScopeError. Takes as long for an unknown key as for a wrong
        secret.
        """
        match = _KEY.fullmatch(key)
        if match is None or match.group(1) != self._workspace:
            raise WrongKeyError
        found = self._load().get(match.group(2))
        expected = found.digest if found else _NOBODY
        if not hmac.compare_digest(_digest(match.group(3)), expected) or found is None:
            raise WrongKeyError
        if scope not in found.scopes:
            raise WrongScopeError(scope, found.scopes)
        return found

    def _load(self) -> Mapping[str, Key]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._keys = None, {}
            return self._keys
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen != self._seen:
            self._keys = _parse(self._path)
            self._seen = seen
        return self._keys

    @contextmanager
    def _rewriting(self) -> Iterator[dict[str, Key]]:
        """Read, change and replace the file while no other process does the same."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_name(".keys.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = dict(_parse(self._path)) if self._path.exists() else {}
            yield keys
            self._write(keys)
        finally:
            os.close(lock)

    def _write(self, keys: Mapping[str, Key]) -> None:
        document = {
            "keys": {key.key_id: key.to_json() | {"sha256": key.digest} for key in keys.values()}
        }
        draft = self._path.with_name(".keys.json.new")  # one writer: the lock is held
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _parse(path: Path) -> Mapping[str, Key]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["keys"]
        return {
            key_id: Key(
                key_id=key_id,
                scopes=tuple(entry["scopes"]),
                label=entry["label"],
                created_at=entry["created_at"],
                digest=entry["sha256"],
            )
            for key_id, entry in entries.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysError(
            f"{path}: not a file of keys ({error!r}); restore it or delete it and create keys anew"
        ) from error
