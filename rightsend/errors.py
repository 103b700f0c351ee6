"""Failures of the bootstrap, each one clear sentence for the person at the terminal."""

from __future__ import annotations

OUR_ROOMS = ("rightsend", "settings", "scoring", "plugin", "connectors")


class RightsendError(Exception):
    """The command cannot go on; the message says what is wrong, where, and what to do."""


def is_ours(error: BaseException) -> bool:
    """Whether one of our own exceptions says, in words for a person, what is wrong.

    Such a no stays a no; anything else (the network, a full disk) may be gone the next time.
    """
    return type(error).__module__.partition(".")[0] in OUR_ROOMS and bool(str(error).strip())
