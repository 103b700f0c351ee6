"""The installation's secret: it signs landing links and keys the customer hashes in the store."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from settings.workspace import Settings

_BYTES = 32


class SecretError(Exception):
    """The secret file exists but cannot serve as a secret."""


def load(settings: Settings) -> bytes:
    """The configured secret, or that of ``state_dir/secret``, made once (mode 0600).

    Any number of processes may start at once: the file appears complete or not at all, and all get
    the same bytes. Raises SecretError when the file is empty or too short, OSError when the state
    folder cannot be written.
    """
    if settings.secret:
        return settings.secret.encode()
    path = settings.state_dir / "secret"
    if not path.exists():
        _create(path)
    value = path.read_text(encoding="ascii", errors="replace").strip()
    if len(value) < _BYTES:
        raise SecretError(
            f"{path}: found {len(value)} characters, expected at least {_BYTES}; delete the file "
            "to have a new one made (landing links sent before then lose their customer)"
        )
    return value.encode()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # link() fails when another process was first: then its secret is the one that counts
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
