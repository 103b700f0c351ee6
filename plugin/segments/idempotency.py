"""The same Idempotency-Key gives the same segment job.

Kept as files, one a key, created by a link: of two requests at once one wins, also between web
workers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

KEPT_S = 7 * 86_400


@dataclass(frozen=True)
class Claim:
    """Which segment a key stands for, and a digest of what was asked with it."""

    segment_id: str
    request: str


class Claims:
    """The keys used in one workspace."""

    def __init__(self, workspace_dir: Path) -> None:
        self._folder = workspace_dir / "segments" / ".idempotency"

    def find(self, key: str) -> Claim | None:
        """What the key was used for, or None."""
        try:
            return Claim(**orjson.loads(self._path(key).read_bytes()))
        except FileNotFoundError:
            return None

    def take(self, key: str, claim: Claim) -> Claim:
        """The claim that holds for the key from now on: this one, or that of whoever was first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._prune()
        draft = self._folder / f".{os.getpid()}-{secrets.token_hex(4)}"
        draft.write_bytes(orjson.dumps({"segment_id": claim.segment_id, "request": claim.request}))
        try:
            os.link(draft, self._path(key))
        except FileExistsError:
            return self.find(key) or claim
        finally:
            draft.unlink()
        return claim

    def _path(self, key: str) -> Path:
        name = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16)
        return self._folder / name.hexdigest()

    def _prune(self) -> None:
        oldest = time.time() - KEPT_S
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another worker prunes too
                if path.stat().st_mtime < oldest:
                    path.unlink()


def digest(document: Any) -> str:
    """Tells whether two requests are the same."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).hexdigest()
