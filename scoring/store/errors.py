"""What can go wrong with the store, named by what the caller must do.

- StoreUnavailable: answer without it (send time) or try again later (jobs, intake)
- RecordError: what Redis holds there is not ours or damaged; publish again
- StoreUrlError: correct the configured URL
- PublishError: nothing was published, readers still see what they saw
"""

from __future__ import annotations


class StoreUnavailable(Exception):  # noqa: N818 - named by what it says, as the callers read it
    """No answer from Redis that can be used; ``reason`` is one of REASONS (answers, metrics)."""

    REASONS = ("timeout", "connection", "open", "no_snapshot", "loading", "rubbish", "error")

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class RecordError(ValueError):
    """Bytes that are no record of this version, or values that cannot be packed."""


class StoreUrlError(ValueError):
    """A Redis URL that cannot be used; the text never holds its password."""


class PublishError(Exception):
    """The snapshot was not published; the pointer did not move."""
