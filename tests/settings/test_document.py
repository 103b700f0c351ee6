"""docs/configuration.md says what the code does."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import yaml
from marshmallow import fields

from settings.column_schema import ColumnMappingSchema
from settings.connection_schema import AttributeSchema, ConnectionSchema
from settings.document import render
from settings.document_text import EXAMPLES
from settings.fields import Strict
from settings.landing_schema import LandingSchema
from settings.schema import SandboxSchema, ServiceSchema, WebSchema, WorkspaceSchema
from settings.sections import (
    ContentSchema,
    GateSchema,
    ModelSchema,
    ScheduleSchema,
    SegmentSchema,
)
from settings.source_schema import SourceSchema
from settings.vocabulary import SCORES, TABLES
from tests.settings.conftest import SCHEMAS, Folder

ALL: list[type[Strict]] = [
    AttributeSchema, ColumnMappingSchema, ConnectionSchema, ContentSchema, GateSchema,
    LandingSchema, ModelSchema, SandboxSchema, ScheduleSchema, SegmentSchema, ServiceSchema,
    SourceSchema, WebSchema, WorkspaceSchema,
]  # fmt: skip
NOT_IN_A_FILE = {
    WorkspaceSchema: {"file"},
    ServiceSchema: {"file"},
    ConnectionSchema: {"options"},
    SourceSchema: {"options"},
}


@pytest.mark.parametrize("schema", ALL)
def test_schemas_and_dataclasses_have_the_same_keys(schema: type[Strict]) -> None:
    members = {member.name for member in dataclasses.fields(schema.target)}
    assert set(schema._declared_fields) == members - NOT_IN_A_FILE.get(schema, set())


@pytest.mark.parametrize("schema", ALL)
def test_every_key_has_a_meaning_and_an_example(schema: type[Strict]) -> None:
    page = render(SCHEMAS)
    for key, field in schema._declared_fields.items():
        assert field.metadata["description"] in page
        assert f"| `{key}` |" in page
        is_section = isinstance(field, fields.Nested | fields.List)
        assert field.metadata["example"] is not None or is_section, key


def test_every_column_score_and_option_is_listed() -> None:
    page = render(SCHEMAS)
    for name in (*SCORES, *(column for columns in TABLES.values() for column in columns)):
        assert f"| `{name}` |" in page
    assert "### Connection type `pigeon`" in page
    assert "| `api_key` | text | **required** |" in page
    assert "| `timeout_s` | number | `30.0` | 1 to 60 | seconds |" in page


def test_defaults_are_those_of_the_dataclasses() -> None:
    page = render({})
    assert "| `horizon_days` | whole number | `7` | 1 to 90 | days |" in page
    assert "| `nightly` | cron expression | `0 3 * * *` |" in page


@pytest.mark.parametrize("table", EXAMPLES)
def test_the_tables_examples_load(folder: Folder, table: str) -> None:
    text = f"workspace: shop\nsources:\n{EXAMPLES[table]}"
    settings = folder.load(text, environ={"DB_USER": "u", "DB_PASSWORD": "p"})
    assert settings.workspaces["shop"].sources[0].table == table
    assert yaml.safe_load(EXAMPLES[table])[0]["table"] == table


def test_every_row_of_every_table_has_as_many_cells_as_its_heading() -> None:
    width = 0
    for line in render(SCHEMAS).splitlines():
        cells = line.replace("\\|", "").count("|")
        if line.startswith("| ---"):
            width = cells
        elif line.startswith("| `"):
            assert cells == width, line


def test_what_is_required_stands_first_in_each_table() -> None:
    for table in render(SCHEMAS).split("| key | type |")[1:]:
        rows = [line for line in table.splitlines() if line.startswith("| `")]
        required = ["**required**" in row for row in rows]
        assert required == sorted(required, reverse=True), rows


def test_the_module_prints_the_page_without_connectors() -> None:
    command = [sys.executable, "-m", "settings.document"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == render({})
