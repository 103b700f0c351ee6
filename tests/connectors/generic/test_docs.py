"""docs/generic-connector.md names every key and placeholder that there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from marshmallow import Schema, fields

from connectors.generic.options import HttpOptions
from connectors.registry import SCHEMAS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "generic-connector.md").read_text()


def keys(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        yield name
        inner: Any = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from keys(inner.schema)


@pytest.mark.parametrize("key", sorted(set(keys(HttpOptions())) - {"timeout_s", "type"}))
def test_each_key_is_explained(key: str) -> None:
    assert f"`{key}" in PAGE or f".{key}`" in PAGE


@pytest.mark.parametrize("page", ["generic-connector.md", "file-connector.md"])
def test_the_example_of_a_page_loads(page: str) -> None:
    text = (DOCS / page).read_text().partition("```yaml\n")[2].partition("```")[0]
    (entry,) = yaml.safe_load(text)["connections"]
    schema = SCHEMAS[entry["type"]]()
    schema.load({name: value for name, value in entry.items() if name in schema.fields})
