from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from connectors.registry import open_tool
from connectors.sandbox.client import Sandbox
from connectors.tool import Tool
from tests.connectors.doubles import KEY, Double, FakeTime, mailchimp_connection
from tests.connectors.watching import Published, watched


@pytest.fixture
def published(app: Flask) -> Iterator[Published]:
    with watched(app, "mailchimp") as published:
        yield published


@pytest.fixture
def crm(
    published: Published,
    url: str,
    time: FakeTime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Double]:
    """Mailchimp's double; each request of these tests is one that Mailchimp publishes."""
    client = Sandbox(url, KEY, "mailchimp")
    yield Double(mailchimp_connection(url, monkeypatch), client, time, tmp_path, url, "mailchimp")
    client.close()


@pytest.fixture
def tool(crm: Double) -> Iterator[Tool]:
    with open_tool(crm.connection) as tool:
        yield tool
