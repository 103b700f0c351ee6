"""The routes of the OpenAPI document, for tests that must cover all there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
ROUTES = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
GUARDED = [route for route in ROUTES if "x-scope" in route.values[2]]
WITH_BODY = [route for route in ROUTES if "requestBody" in route.values[2]]


def filled(path: str, names: dict[str, str] | None = None) -> str:
    """The path with something in the place of its parameters."""
    return re.sub(r"{(\w+)}", lambda match: (names or {}).get(match[1], "something"), path)


def example_body(operation: dict[str, Any]) -> Any:
    """The document's own example of a JSON body; None when it takes none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    examples = [each["value"] for each in content.get("examples", {}).values()]
    return content.get("example", examples[0] if examples else {})
