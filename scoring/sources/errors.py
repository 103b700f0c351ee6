"""What can be wrong with a source as a whole; a single bad row is no exception but quarantine."""

from __future__ import annotations


class SourceError(Exception):
    """A file, table or mapping that cannot be read; the message names it and says what to do."""
