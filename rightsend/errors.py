"""Failures of the bootstrap, each one clear sentence for the person at the terminal."""

from __future__ import annotations


class RightsendError(Exception):
    """The command cannot go on; the message says what is wrong, where, and what to do."""
