"""Whatever a file holds: settings or SettingsError, with every problem inside the file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from settings.load import SettingsError, load
from settings.schema import ServiceSchema, WorkspaceSchema
from settings.source_schema import SourceSchema
from settings.vocabulary import TABLES
from tests.settings.conftest import SCHEMAS

KEYS = sorted(
    {*ServiceSchema().fields, *WorkspaceSchema({}).fields, *SourceSchema().fields}
    | {key for columns in TABLES.values() for key in columns}
    | {"column", "value", "join", "divide", "translate", "attributes", "score", "loft", "_schema"}
)
WORDS = ["shop", "events", "items", "file", "ibis", "pigeon", "purchase", "top_items", "${A}", "${"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=25,
)
MAPPINGS = st.dictionaries(st.sampled_from(KEYS), TREES, max_size=8)


def attempt(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_bytes(content)
        try:
            settings = load(file, connection_schemas=SCHEMAS, environ={"A": "s3cr3t-value"})
        except SettingsError as error:
            lines = content.count(b"\n") + 1
            assert error.problems
            assert all(each.line is None or 1 <= each.line <= lines for each in error.problems)
            assert all(str(each).isprintable() for each in error.problems)
            assert "s3cr3t" not in str(error)
        else:
            assert settings.workspaces


@given(MAPPINGS)
@example({"workspaces": ["${A}"]})
def test_bad_input_any_mapping_is_settings_or_problems(data: dict[str, Any]) -> None:
    attempt(yaml.safe_dump(data, allow_unicode=True).encode())


@given(MAPPINGS, MAPPINGS)
def test_bad_input_any_source_is_settings_or_problems(
    source: dict[str, Any], connection: dict[str, Any]
) -> None:
    data = {
        "workspace": "shop",
        "sources": [{"name": "x", "type": "file", "path": "p", "table": "events", **source}],
        "connections": [{"name": "p", "type": "pigeon", **connection}],
    }
    attempt(yaml.safe_dump(data).encode())


@given(st.text(alphabet="a:-[]{}&*!|>'\"%@`#,? \n\t$<", max_size=40) | st.binary(max_size=40))
def test_bad_input_any_text_is_settings_or_problems(content: str | bytes) -> None:
    attempt(content.encode() if isinstance(content, str) else content)
