"""Source types by the name that configuration uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scoring.sources import completejourney, files, warehouse
from scoring.sources.chunk import SourceFile
from scoring.sources.errors import SourceError
from settings.workspace import SourceSettings

Open = Callable[[SourceSettings, Path], list[SourceFile]]
SOURCES: Mapping[str, Open] = {
    "file": files.open_source,
    "ibis": warehouse.open_source,
    "completejourney": completejourney.open_source,
}


def open_source(
    source: SourceSettings, base: Path, sources: Mapping[str, Open] = SOURCES
) -> list[SourceFile]:
    """The units of import of a source; raises SourceError.

    ``sources`` may know more types than these: the bootstrap adds those of connectors.
    """
    if source.type not in sources:
        raise SourceError(
            f"source {source.name}: no type {source.type!r}; there is {', '.join(sources)}"
        )
    return sources[source.type](source, base)
