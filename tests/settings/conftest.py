"""A folder to write configuration files into, and a connector that no tool stands behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import marshmallow
import pytest
from marshmallow import fields, validate

from settings.load import Problem, SettingsError, load
from settings.workspace import Settings, WorkspaceSettings

SOURCE = """
- name: orders
  type: file
  table: events
  path: orders.csv
  columns: {occurred_at: at, identifier: who, event_type: {value: purchase}}
"""


class PigeonOptions(marshmallow.Schema):
    """Written as a connector's author would: marshmallow's own messages."""

    loft = fields.String(
        required=True,
        validate=validate.OneOf(["north", "south"]),
        metadata={"description": "Where they live"},
    )
    api_key = fields.String(
        required=True,
        validate=validate.Length(min=8, error="{input} is too short"),
        metadata={"description": "Opens the loft", "secret": True},
    )
    timeout_s = fields.Float(load_default=30.0, validate=validate.Range(min=1, max=60))


SCHEMAS = {"pigeon": PigeonOptions}


class Folder:
    """``load`` over files of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return file

    def load(
        self, text: str | bytes, *, environ: Mapping[str, str] | None = None, **arguments: Any
    ) -> Settings:
        file = self.write("rightsend.yaml", text)
        return load(file, connection_schemas=SCHEMAS, environ=environ or {}, **arguments)

    def workspace(self, text: str, **arguments: Any) -> WorkspaceSettings:
        """The workspace of ``text``, to which name and a source are added if it has none."""
        settings = self.load(complete(text), **arguments)
        return settings.workspaces["shop"]

    def problems(self, text: str | bytes, **arguments: Any) -> list[Problem]:
        with pytest.raises(SettingsError) as raised:
            self.load(text, **arguments)
        assert raised.value.problems
        return list(raised.value.problems)

    def problem(self, text: str, **arguments: Any) -> Problem:
        """The one problem of a workspace file."""
        problems = self.problems(complete(text), **arguments)
        assert len(problems) == 1, "\n".join(map(str, problems))
        return problems[0]


def complete(text: str) -> str:
    """Keys are put behind the text, so that its line numbers stay."""
    text = dedent(text).strip("\n")
    if "workspace:" not in text:
        text += "\nworkspace: shop"
    if "sources:" not in text:
        text += f"\nsources: {SOURCE}"
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
