"""API keys: scoped, hashed, one file a workspace.

A key reads ``rs_<workspace>_<id>_<secret>``, so that a request names its workspace by its key.
Only the SHA-256 of the secret part is kept: the secret is 160 random bits, so that a slow password
hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from plugin.key_file import Key, KeyFile, KeysError

CONTENT = "content"
EVENTS = "events"
SEGMENTS = "segments"
ADMIN = "admin"
SCOPES = (CONTENT, EVENTS, SEGMENTS, ADMIN)
STAT_EVERY_S = 0.25  # how long a revoked key may go on
TELL_EVERY_S = 60.0  # of a file that stays unreadable

_KEY = re.compile(r"rs_([a-z0-9][a-z0-9_-]{0,39})_([0-9a-f]{8})_([0-9a-f]{40})")
_NOBODY = hashlib.sha256(b"no such key").hexdigest()
_OF_THIS_PROCESS = secrets.token_bytes(32)
_DAY_S = 86_400
_log = structlog.get_logger("plugin")

__all__ = ["Key", "Keys", "KeysError", "WrongKeyError", "WrongScopeError", "workspace_of"]


class WrongKeyError(Exception):
    """The key is malformed, unknown, expired or revoked. The caller answers 401."""


class WrongScopeError(Exception):
    """The key is right but was not made for this. The caller answers 403."""

    def __init__(self, scope: str, scopes: Sequence[str]) -> None:
        self.scope = scope
        self.scopes = tuple(scopes)
        super().__init__(
            f"This key has the scope {', '.join(self.scopes)}; this route needs {scope}."
        )


def workspace_of(key: str) -> str | None:
    """The workspace that a key's text names, or None when it is no key at all."""
    match = _KEY.fullmatch(key)
    return match.group(1) if match else None


class Keys:
    """The keys of one workspace (``<workspace_dir>/keys.json``).

    Reading notices a changed file by itself: a new key works at once in every web worker, a
    revoked one stops within ``STAT_EVERY_S``. Keys that proved right are known again by a digest of
    their text, keyed with random bytes of this process: nobody outside can aim at a place in that
    table, and it never holds more entries than there are keys.

    ``now`` is the wall clock (when keys end), ``monotonic`` counts seconds between looks at the
    file.
    """

    def __init__(
        self,
        workspace_dir: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = KeyFile(workspace_dir)
        self._workspace = workspace_dir.name
        self._now = now
        self._monotonic = monotonic
        self._look_at = float("-inf")
        self._forget_at = float("-inf")
        self._tell_at = float("-inf")
        self._version: tuple[int, int, int] | None = None
        self._keys: Mapping[str, Key] = {}
        self._right: dict[bytes, Key] = {}  # digest of a right key's text → what it may do

    def create(
        self, scopes: str | Sequence[str], *, label: str = "", lifetime: timedelta | None = None
    ) -> tuple[str, str]:
        """Make a key; returns (key id, the key's text). The text is not to be had again.

        Raises KeysError for an unknown scope or none.
        """
        wanted = (scopes,) if isinstance(scopes, str) else tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in wanted if scope not in SCOPES]
        if unknown or not wanted:
            raise KeysError(
                f"scope: found {', '.join(unknown) or 'none'}, expected some of {', '.join(SCOPES)}"
            )
        with self._file.rewriting() as keys:
            return self._add(keys, wanted, label, lifetime)

    def rotate(self, key_id: str, overlap: timedelta) -> tuple[str, str, str]:
        """Make a key that may do the same and let the old one end after ``overlap``.

        Returns (new key id, the new key's text, when the old one ends). A key that had a lifetime
        is followed by one with the same. Raises KeysError for a key that is not there, has ended or
        was rotated before.
        """
        with self._file.rewriting() as keys:
            old = keys.get(key_id)
            if old is None or self._ended(old):
                raise KeysError(f"there is no key {key_id}, or it has ended; make a new one")
            if old.replaced_by in keys:
                raise KeysError(f"{key_id} was rotated already, to {old.replaced_by}")
            new_id, text = self._add(keys, old.scopes, old.label, _lifetime(old))
            end = _text(self._now() + overlap)
            if old.expires_at is not None:
                end = min(end, old.expires_at, key=datetime.fromisoformat)
            keys[key_id] = replace(old, expires_at=end, replaced_by=new_id)
        return new_id, text, end

    def revoke(self, key_id: str) -> bool:
        """Forget a key; False when there is none of this id."""
        with self._file.rewriting() as keys:
            return keys.pop(key_id, None) is not None

    def list(self) -> tuple[Key, ...]:
        """All keys, oldest first, ended ones too."""
        self._look()
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created_at, key.key_id)))

    def last_used_on(self, key_id: str) -> str | None:
        """The day (UTC, ISO 8601) on which a web process last took this key; None: never."""
        return self._file.last_used_on(key_id)

    def ending_before(self, moment: datetime) -> Iterator[Key]:
        """Keys that have not ended, end before ``moment`` and were not rotated."""
        for key in self.list():
            ends_at = key.ends_at()
            rotated = key.replaced_by in self._keys
            if ends_at and ends_at < moment.timestamp() and not rotated and not self._ended(key):
                yield key

    def verify(self, key: str, scope: str) -> Key:
        """The key of this text if it may do ``scope``.

        Raises WrongKeyError or WrongScopeError. Takes as long for an unknown key as for a wrong
        secret.
        """
        if self._monotonic() >= self._look_at:
            self._look()
        text = key.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(text, digest_size=16, key=_OF_THIS_PROCESS).digest()
        found = self._right.get(digest) or self._recognised(key, digest)
        if scope not in found.scopes:
            raise WrongScopeError(scope, found.scopes)
        return found

    def _recognised(self, text: str, digest: bytes) -> Key:
        match = _KEY.fullmatch(text)
        if match is None:
            raise WrongKeyError
        self._look()  # it may have been made a moment ago
        right = self._right  # before the keys are looked at: a table of older ones is dropped soon
        found = self._keys.get(match.group(2))
        expected = found.digest if found else _NOBODY
        same = hmac.compare_digest(_digest(match.group(3)), expected)
        if not same or found is None or match.group(1) != self._workspace or self._ended(found):
            raise WrongKeyError
        right[digest] = found
        self._file.note_use(found.key_id, self._now())
        return found

    def _look(self) -> None:
        """Notices a changed file, keys that have ended and a new day (to note who is in use).

        Raises KeysError as _read_anew() does.
        """
        self._look_at = self._monotonic() + STAT_EVERY_S
        changed, now = self._read_anew(), self._now().timestamp()
        if not changed and now < self._forget_at:
            return
        ends = (ends_at for key in self._keys.values() if (ends_at := key.ends_at()) is not None)
        tomorrow = (now // _DAY_S + 1) * _DAY_S
        self._forget_at = min([tomorrow, *(ends_at for ends_at in ends if ends_at > now)])
        self._right = {}

    def _read_anew(self) -> bool:
        """Whether the file changed. One that turns unreadable leaves the keys as they were, and is
        tried again: raises KeysError only when there were none."""
        try:
            version = self._file.version()
            if version == self._version:
                return False
            self._keys = self._file.read()
        except KeysError as problem:
            if not self._keys:
                raise
            if self._monotonic() >= self._tell_at:
                self._tell_at = self._monotonic() + TELL_EVERY_S
                _log.error("keys file unreadable; the keys stay as they were", why=str(problem))
            return False
        self._version = version
        return True

    def _ended(self, key: Key) -> bool:
        ends_at = key.ends_at()
        return ends_at is not None and ends_at <= self._now().timestamp()

    def _add(
        self, keys: dict[str, Key], scopes: tuple[str, ...], label: str, lifetime: timedelta | None
    ) -> tuple[str, str]:
        key_id, secret = secrets.token_hex(4), secrets.token_hex(20)
        while key_id in keys:
            key_id = secrets.token_hex(4)
        now = self._now()
        keys[key_id] = Key(
            key_id=key_id,
            scopes=scopes,
            label=label,
            created_at=_text(now),
            digest=_digest(secret),
            expires_at=_text(now + lifetime) if lifetime is not None else None,
        )
        return key_id, f"rs_{self._workspace}_{key_id}_{secret}"


def _lifetime(key: Key) -> timedelta | None:
    if key.expires_at is None:
        return None
    return datetime.fromisoformat(key.expires_at) - datetime.fromisoformat(key.created_at)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
