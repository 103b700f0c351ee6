from __future__ import annotations

from pathlib import Path

from connectors import document
from connectors.registry import REGISTRY

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text() == document.render(), "see connectors.document"


def test_each_connector_tells_its_limits() -> None:
    assert {name for name, connector in REGISTRY.items() if not connector.limits} <= {"sandbox"}
