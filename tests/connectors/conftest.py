from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import BEHIND, DOUBLES, KEY, READERS, Double, FakeTime
from tests.connectors.servers import serving


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def app(tmp_path: Path, time: FakeTime) -> Iterator[Flask]:
    app = create_app(
        tmp_path / "sandbox", api_keys=[KEY], credentials={"rightsend": ("any", "content-key")},
        threads=4, clock=time,
    )  # fmt: skip
    yield app
    app.extensions[CLOSE]()


@pytest.fixture
def url(app: Flask, time: FakeTime) -> Iterator[str]:
    with serving(app, time) as url:
        yield url


@pytest.fixture
def sandbox(url: str) -> Iterator[Sandbox]:
    client = Sandbox(url, KEY)
    yield client
    client.close()


@pytest.fixture(params=sorted(DOUBLES))
def double(
    request: pytest.FixtureRequest,
    url: str,
    time: FakeTime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Double]:
    """A running double of each tool in the registry."""
    name: str = request.param
    by_files = name.partition(":")[0] in READERS
    connection = DOUBLES[name](str(tmp_path / "files") if by_files else url, monkeypatch)
    client = Sandbox(url, KEY, "braze" if by_files else BEHIND.get(name, name))
    yield Double(connection, client, time, tmp_path)
    client.close()
