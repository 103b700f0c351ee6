"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]  # step, done, in all (None: not known)


def silent(name: str, done: int, total: int | None) -> None:
    """A progress that shows nothing."""
