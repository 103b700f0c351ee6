"""Segment only tells; nothing is written to it."""

from __future__ import annotations

from connectors.tool import Tool
from settings.workspace import ConnectionSettings


class Segment(Tool):
    """A connection that is never opened to anywhere."""

    def check(self) -> None:
        """Nothing of ours goes there: whether its calls come is seen in ``/metrics``."""

    def close(self) -> None:
        """Nothing is open."""


def open_segment(connection: ConnectionSettings) -> Segment:
    return Segment()
