"""Source types by the name that configuration uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scoring.sources import completejourney, files, warehouse
from scoring.sources.chunk import SourceFile
from scoring.sources.errors import SourceError
from settings.workspace import SourceSettings

SOURCES: Mapping[str, Callable[[SourceSettings, Path], list[SourceFile]]] = {
    "file": files.open_source,
    "ibis": warehouse.open_source,
    "completejourney": completejourney.open_source,
}


def open_source(source: SourceSettings, base: Path) -> list[SourceFile]:
    """The units of import of a source; raises SourceError."""
    if source.type not in SOURCES:
        raise SourceError(
            f"source {source.name}: no type {source.type!r}; there is {', '.join(SOURCES)}"
        )
    return SOURCES[source.type](source, base)
