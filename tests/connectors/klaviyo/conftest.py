from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.klaviyo.connector import Klaviyo
from connectors.registry import open_tool
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import Double


@pytest.fixture
def tool(crm: Double) -> Iterator[Klaviyo]:
    with open_tool(crm.connection) as tool:
        assert isinstance(tool, Klaviyo)
        yield tool


@pytest.fixture
def klaviyo(crm: Double) -> Sandbox:
    return crm.tool
