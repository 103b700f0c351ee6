"""docs/new-connector.md is true: its connector and its double pass the contract suite."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import connectors
from connectors.registry import REGISTRY
from connectors.sandbox import tools
from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox
from connectors.tool import Ability
from settings.workspace import ConnectionSettings
from tests.connectors.contract import (
    test_abilities,
    test_attributes,
    test_faults,
    test_packing,
    test_rejects,
    test_resume,
    test_segments,
)
from tests.connectors.double import ATTRIBUTES, FEW, KEY, Double, FakeTime, take_fewer
from tests.connectors.servers import serving

PAGE = Path(__file__).parents[2] / "docs" / "new-connector.md"
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
CAN = {Ability.ATTRIBUTES, Ability.SEGMENTS, "http", "batches", "slow", "long-texts"}
MODULES = (
    test_abilities, test_attributes, test_faults, test_packing, test_rejects, test_resume,
    test_segments,
)  # fmt: skip
Scenario = Callable[[Double], None]


def needed(module: Any, function: Any) -> set[Any]:
    marks = [*getattr(function, "pytestmark", [])]
    own = getattr(module, "pytestmark", [])
    marks += own if isinstance(own, list) else [own]
    return {what for mark in marks if mark.name == "needs" for what in mark.args}


def scenarios() -> Iterator[Scenario]:
    """Those of the suite that take nothing but a double."""
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            alone = list(inspect.signature(function).parameters) in (["double"], ["shop"])
            if name.startswith("test_") and alone and needed(module, function) <= CAN:
                yield function


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page's files, importable where it says that they stand."""
    root = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        for package in (connectors, tools):
            folder = root / package.__name__.replace(".", "/")
            patch.setattr(package, "__path__", [*package.__path__, str(folder)])
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        importlib.invalidate_caches()
        yield
    for name in [name for name in sys.modules if "postbox" in name]:
        del sys.modules[name]


@pytest.fixture
def postbox(
    written: None, tmp_path: Path, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Double]:
    connector = importlib.import_module("connectors.postbox").CONNECTOR
    hosts = importlib.import_module("connectors.postbox.connector").HOSTS
    shown = importlib.import_module("connectors.sandbox.tools.postbox").Postbox
    monkeypatch.setitem(tools.TOOLS, "postbox", shown)
    monkeypatch.setitem(REGISTRY, "postbox", connector)
    app: Flask = create_app(tmp_path / "sandbox", api_keys=[KEY], clock=time)
    with serving(app, time) as url:
        monkeypatch.setitem(hosts, "only", f"{url}/tools/postbox")
        take_fewer("postbox", FEW, monkeypatch)
        client = Sandbox(url, KEY, "postbox")
        connection = ConnectionSettings(
            "crm", "postbox", ATTRIBUTES, {"api_key": KEY, "timeout_s": 30.0}
        )
        yield Double(
            connection, client, time, tmp_path, url, "postbox",
            full_size=lambda: monkeypatch.setitem(REGISTRY, "postbox", connector),
        )  # fmt: skip
        client.close()
    app.extensions[CLOSE]()


@pytest.mark.parametrize("scenario", list(scenarios()), ids=lambda scenario: scenario.__name__)
def test_the_pages_connector_passes(postbox: Double, scenario: Scenario) -> None:
    if list(inspect.signature(scenario).parameters) == ["shop"]:
        postbox.customers(30)
        postbox.sync()
    scenario(postbox)


@pytest.mark.parametrize("kind", ["server_error", "html", "hostile_text"])
def test_the_pages_connector_checks_what_it_is_answered(postbox: Double, kind: str) -> None:
    test_faults.test_check_says_in_one_line_what_is_wrong(postbox, kind)


def code_lines(text: str) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    strings = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node)
    ]
    prose = {n for each in strings for n in range(each.lineno, (each.end_lineno or 0) + 1)}
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in prose
        for number, line in enumerate(text.splitlines(), start=1)
    )


def test_the_pages_connector_has_as_few_lines_of_code_as_the_page_says() -> None:
    own = [text for name, text in FILES.items() if name.startswith("connectors/postbox/")]
    assert len(own) == 4
    assert f"has {sum(map(code_lines, own))} lines of code" in PAGE.read_text()


@pytest.mark.parametrize("name", ["bloomreach", "brevo"])
def test_a_real_tool_with_attributes_has_under_100_lines_of_code(name: str) -> None:
    folder = Path(connectors.__file__).parent / name
    assert 0 < sum(code_lines(file.read_text()) for file in folder.glob("*.py")) < 100
