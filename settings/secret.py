"""The type of the installation's secret: bytes that know which secrets were used before them."""

from __future__ import annotations

from collections.abc import Sequence


class Secret(bytes):
    """The bytes are the secret of now, with which everything is signed and hashed. ``former``,
    newest first, is what links, erasures and audit records of earlier times are known by."""

    former: tuple[bytes, ...]

    def __new__(cls, current: bytes, former: Sequence[bytes] = ()) -> Secret:
        self = super().__new__(cls, current)
        self.former = tuple(former)
        return self


def all_of(secret: bytes) -> tuple[bytes, ...]:
    """The secret of now, and those before it."""
    return (bytes(secret), *getattr(secret, "former", ()))
