from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connectors import delivery
from connectors.files.options import FilesOptions
from settings.workspace import ConnectionSettings
from tests.connectors.doubles import ATTRIBUTES, FakeTime
from tests.connectors.files import reading


@dataclass
class Exports:
    """A connection that writes files, and a short way to sync."""

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    desired: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def connection(self) -> ConnectionSettings:
        options = FilesOptions().load({"url": str(self.out), **self.options})
        return ConnectionSettings("files", "files", ATTRIBUTES, options)

    def customers(self, count: int, probability: float = 0.5) -> None:
        self.desired = {
            f"c{n:03}": {"purchase_probability": probability, "top_items": ["a", "b"]}
            for n in range(count)
        }

    def sync(self, **options: Any) -> delivery.SyncReport:
        options = {"state_path": self.folder / "state.sqlite", **options}
        options = {"runtime": FakeTime().runtime(), **options}
        return delivery.sync(self.connection, self.desired.items(), **options)

    def push(self, members: list[str], name: str = "Likely buyers") -> delivery.PushReport:
        return delivery.push_segment(
            self.connection, segment_id="seg-1", name=name, members=members,
            state_path=self.folder / "state.sqlite", runtime=FakeTime().runtime(),
        )  # fmt: skip

    def runs(self) -> list[Path]:
        return reading.runs_in(self.out / "attributes")

    def with_(self, **options: Any) -> Exports:
        return replace(self, options={**self.options, **options})


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)
