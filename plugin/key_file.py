"""keys.json: what is known about the keys of a workspace, never a key itself."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_USES = "keys_used"


class KeysError(Exception):
    """keys.json cannot be read, is no file of keys, or a key was asked for that cannot be."""


@dataclass(frozen=True)
class Key:
    """What is known about a key; never its secret. Times are ISO 8601, UTC."""

    key_id: str
    scopes: tuple[str, ...]
    label: str
    created_at: str
    digest: str  # SHA-256 of the secret part, hex
    expires_at: str | None = None
    replaced_by: str | None = None  # id of the key that it was rotated to

    def to_json(self) -> dict[str, Any]:
        """For listings: without the digest."""
        return {
            "id": self.key_id,
            "scopes": list(self.scopes),
            "label": self.label,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "replaced_by": self.replaced_by,
        }

    def ends_at(self) -> float | None:
        """Unix time from which the key is refused; None: never."""
        return datetime.fromisoformat(self.expires_at).timestamp() if self.expires_at else None


class KeyFile:
    """The keys of one workspace on disk, and on which day each was last used."""

    def __init__(self, workspace_dir: Path) -> None:
        self.path = workspace_dir / "keys.json"
        self._uses = workspace_dir / _USES

    def version(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does; None without a file. Raises KeysError where it cannot be
        looked for."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        return status.st_mtime_ns, status.st_ino, status.st_size

    def read(self) -> Mapping[str, Key]:
        """Keys by id, none without a file. Raises KeysError for one that is damaged or may not be
        read."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unreadable(error) from error
        except ValueError as error:
            raise self._damaged(error) from error
        try:
            entries = json.loads(text)["keys"]
            return {key_id: _key(key_id, entry) for key_id, entry in entries.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(error) from error

    @contextmanager
    def rewriting(self) -> Iterator[dict[str, Key]]:
        """Read, change and replace the file while no other process does the same. Owner and mode
        stay; a new one belongs to its folder's owner: web processes must be able to read what root
        wrote."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(".keys.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            self._hand_over(lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = dict(self.read())
            yield keys
            self._write(keys)
        finally:
            os.close(lock)

    def note_use(self, key_id: str, moment: datetime) -> None:
        """Remember the day (UTC). A full disk costs the note, not the call."""
        with contextlib.suppress(OSError):
            self._uses.mkdir(mode=0o700, exist_ok=True)
            (self._uses / key_id).write_text(moment.astimezone(UTC).date().isoformat())

    def last_used_on(self, key_id: str) -> str | None:
        """The day on which the key was last used (UTC, ISO 8601), None: never."""
        with contextlib.suppress(OSError, ValueError):
            text = (self._uses / key_id).read_text().strip()
            return datetime.fromisoformat(text).date().isoformat()
        return None

    def _write(self, keys: Mapping[str, Key]) -> None:
        document = {
            "keys": {key.key_id: key.to_json() | {"sha256": key.digest} for key in keys.values()}
        }
        draft = self.path.with_name(".keys.json.new")  # one writer: the lock is held
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            self._hand_over(handle)
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(handle, stat.S_IMODE(self.path.stat().st_mode))
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def _hand_over(self, handle: int) -> None:
        """Gives an open file the owner of keys.json, without one the folder's. Only root may;
        anybody else who writes here is the owner already, or becomes it."""
        owned = self.path if self.path.exists() else self.path.parent
        status = owned.stat()
        with contextlib.suppress(PermissionError):
            os.fchown(handle, status.st_uid, status.st_gid)

    def _unreadable(self, error: OSError) -> KeysError:
        return KeysError(
            f"{self.path}: cannot be read ({error.strerror}); the user of the web processes must "
            "own it"
        )

    def _damaged(self, error: Exception) -> KeysError:
        return KeysError(
            f"{self.path}: not a file of keys ({error!r}); restore it or delete it and create keys "
            "anew"
        )


def _key(key_id: str, entry: Mapping[str, Any]) -> Key:
    key = Key(
        key_id=key_id,
        scopes=tuple(entry["scopes"]),
        label=entry["label"],
        created_at=entry["created_at"],
        digest=entry["sha256"],
        expires_at=entry.get("expires_at"),
        replaced_by=entry.get("replaced_by"),
    )
    key.ends_at()  # a time that is none is found now, not while somebody waits
    return key
