from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.klaviyo.connector import Klaviyo
from connectors.registry import open_tool
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import KEY, FakeTime, klaviyo_connection


@pytest.fixture
def tool(url: str, time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Klaviyo]:
    with open_tool(klaviyo_connection(url, monkeypatch)) as tool:
        assert isinstance(tool, Klaviyo)
        yield tool


@pytest.fixture
def klaviyo(url: str) -> Iterator[Sandbox]:
    client = Sandbox(url, KEY, "klaviyo")
    yield client
    client.close()
