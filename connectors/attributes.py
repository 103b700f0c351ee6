"""Attributes in a tool that takes no lists and no null, or drops a name that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from connectors.errors import Stop

EMPTY = ""


def plain(value: Any) -> str | float | bool:
    """A value without lists: their elements are joined by commas; nothing is an empty text."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return EMPTY if value is None else value


@dataclass(frozen=True)
class Known:
    """The attributes that the tool has; ``what`` is its word for one."""

    what: str = "attribute"
    _names: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def require(self, needed: set[str], ask: Callable[[], Iterable[str]]) -> None:
        """``ask`` lists what the tool has; it is called when one is needed that is not known yet.
        Raises Stop for one that is not there, and what ``ask`` raises."""
        with self._lock:
            if not needed <= self._names:
                self._names.update(ask())
            missing = ", ".join(sorted(needed - self._names))
        if missing:
            raise Stop(f"the tool has no {self.what} {missing}: add it there")
