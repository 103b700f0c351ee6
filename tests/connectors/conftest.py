from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from connectors.registry import REGISTRY, open_tool
from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox
from connectors.tool import Tool
from tests.connectors.double import AS_IT_IS, FEW, KEY, Double, FakeTime, Looker, take_fewer
from tests.connectors.doubles import (
    BEHIND,
    CANNOT,
    DOUBLES,
    FORMS,
    READERS,
    SPELLINGS,
    connector_of,
    traits,
)
from tests.connectors.servers import serving
from tests.connectors.watching import Published, watched


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``double`` is each connector that has what the marker ``needs`` names: abilities, traits."""
    if "double" in metafunc.fixturenames:
        needed = {what for mark in metafunc.definition.iter_markers("needs") for what in mark.args}
        able = [name for name in sorted(DOUBLES) if needed <= _can(name)]
        metafunc.parametrize("double", able, indirect=True)


@cache
def _can(name: str) -> frozenset[str]:
    able = REGISTRY[connector_of(name)].abilities | traits(name)
    return frozenset(able - CANNOT.get(name, set()))


@pytest.fixture
def double(
    request: pytest.FixtureRequest,
    url: str,
    time: FakeTime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Double]:
    """A running double of a tool, and a connection to it whose requests are small."""
    name: str = request.param
    kind = connector_of(name)
    connection = DOUBLES[name](str(tmp_path / "files") if kind in READERS else url, monkeypatch)
    connector = REGISTRY[kind]
    spelling = SPELLINGS.get(kind, AS_IT_IS)

    def full_size() -> None:
        monkeypatch.setitem(REGISTRY, kind, connector)
        take_fewer(kind, sys.maxsize, monkeypatch, spelling)

    take_fewer(kind, FEW, monkeypatch, spelling)
    tool = "braze" if kind in READERS else BEHIND.get(name, name)
    client = Looker(url, KEY, tool, spelling)
    yield Double(
        connection, client, time, tmp_path, url, name,
        full_size=full_size,
        form=FORMS.get(kind, lambda value: value), reader=READERS.get(kind),
    )  # fmt: skip
    client.close()


@pytest.fixture
def published(app: Flask, request: pytest.FixtureRequest) -> Iterator[Published]:
    """Of the tool that the tests' folder is called after."""
    with watched(app, request.path.parent.name) as published:
        yield published


@pytest.fixture
def crm(
    request: pytest.FixtureRequest,
    published: Published,
    url: str,
    time: FakeTime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Double]:
    """The double of that tool; each request of these tests is one that its vendor publishes."""
    name = request.path.parent.name
    client = Sandbox(url, KEY, name)
    yield Double(DOUBLES[name](url, monkeypatch), client, time, tmp_path, url, name)
    client.close()


@pytest.fixture
def tool(crm: Double) -> Iterator[Tool]:
    with open_tool(crm.connection) as tool:
        yield tool
