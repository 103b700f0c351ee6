"""What is said of items now: stock, price, withdrawn."""

from __future__ import annotations

from typing import Any, NamedTuple

from scoring.store.keys import Keys


class LiveItem(NamedTuple):
    """None: nothing was said of it. ``at_s``: seconds since 1970 (UTC)."""

    stock: int | None
    price: float | None
    sellable: bool | None
    at_s: int


def changes(client: Any, keys: Keys, since: int) -> tuple[int, dict[str, LiveItem]]:
    """The counter now, and what changed after it stood at ``since``."""
    raise NotImplementedError
