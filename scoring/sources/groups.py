"""Many small files as few large pieces of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from scoring.sources.chunk import Chunk, SourceFile
from scoring.sources.errors import SourceError

GROUP_ROWS = 200_000  # a commit costs about as much as so many rows


@dataclass
class Group:
    """Pieces of files, to be mapped and stored together; ``finished`` files end within it."""

    parts: list[tuple[SourceFile, Chunk]] = field(default_factory=list)
    finished: list[SourceFile] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(chunk.table.num_rows for _, chunk in self.parts)

    def table(self) -> pa.Table:
        """The rows of all parts, one behind the other."""
        return pa.concat_tables([chunk.table for _, chunk in self.parts])

    def takes(self, chunk: Chunk) -> bool:
        """Whether the chunk has the same columns and is not too much."""
        if not self.parts:
            return True
        if self.rows + chunk.table.num_rows > GROUP_ROWS:
            return False
        return bool(self.parts[-1][1].table.schema.equals(chunk.table.schema))


def groups(
    files: Iterable[SourceFile],
    columns: Collection[str],
    fail: Callable[[SourceError, str], None],
) -> Iterator[Group]:
    """Everything in the files, in order. ``fail`` is told of a file that cannot be read on, by
    name: what came before is in a group, but the file is not finished."""
    group = Group()
    for file in files:
        try:
            for chunk in file.chunks(columns):
                if not group.takes(chunk):
                    yield group
                    group = Group()
                group.parts.append((file, chunk))
                if group.rows >= GROUP_ROWS:
                    yield group
                    group = Group()
        except SourceError as error:
            fail(error, file.name)
        else:
            group.finished.append(file)
    if group.parts or group.finished:
        yield group
