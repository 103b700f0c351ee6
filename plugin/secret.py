"""The installation's secret: it signs landing links and keys the customer hashes in the store."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from settings.secret import Secret, all_of
from settings.workspace import Settings

_BYTES = 32


class SecretError(Exception):
    """The secret file exists but cannot serve as a secret."""


def load(settings: Settings) -> Secret:
    """The configured secret, or that of ``state_dir/secret``, made once (mode 0600): one a line,
    the secret of now first, then those before it.

    Any number of processes may start at once: the file appears complete or not at all, and all get
    the same bytes. Raises SecretError when the file is empty or too short, OSError when the state
    folder cannot be written.
    """
    if settings.secret:
        return Secret(settings.secret.encode(), [each.encode() for each in settings.former_secrets])
    path = _path(settings)
    if not path.exists():
        _create(path)
    lines = path.read_text(encoding="ascii", errors="replace").split() or [""]
    for line in lines:
        if len(line) < _BYTES:
            raise SecretError(
                f"{path}: found {len(line)} characters, expected at least {_BYTES}; restore the "
                "file, or delete it to have a new one made (landing links sent before then lose "
                "their customer)"
            )
    current, *former = (line.encode() for line in lines)
    return Secret(current, former)


def rotate(settings: Settings) -> Secret:
    """Put a new secret in the place of the present one, which is kept as a former one.

    Raises SecretError when the secret stands in the configuration.
    """
    before = _kept(settings)
    return _replace(settings, [secrets.token_hex(_BYTES).encode(), *all_of(before)])


def forget_former(settings: Settings) -> int:
    """Drop the former secrets; returns how many. Raises SecretError as rotate() does."""
    before = _kept(settings)
    _replace(settings, [bytes(before)])
    return len(before.former)


def _kept(settings: Settings) -> Secret:
    if settings.secret:
        raise SecretError(
            f"{settings.file}: the secret stands in the configuration; put the new one at `secret` "
            "and the present one first in `former_secrets`"
        )
    return load(settings)


def _replace(settings: Settings, lines: list[bytes]) -> Secret:
    path = _path(settings)
    draft = _draft(path, b"\n".join(lines))
    draft.replace(path)
    return Secret(lines[0], lines[1:])


def _path(settings: Settings) -> Path:
    return settings.state_dir / "secret"


def _draft(path: Path, text: bytes) -> Path:
    """A private file beside ``path``, on disk."""
    draft = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, secrets.token_hex(_BYTES).encode())
    try:
        # link() fails when another process was first: then its secret is the one that counts
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
