from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import marshmallow
import pytest

import connectors
from connectors.delivery import Stop, check
from connectors.registry import REGISTRY, SCHEMAS, open_tool
from settings.workspace import ConnectionSettings
from tests.connectors.doubles import DOUBLES

ROOT = Path(connectors.__file__).parent
NOT_TOOLS = {"delivery"}


def test_each_folder_is_a_tool_and_each_tool_a_folder() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_TOOLS
    assert {tool.open.__module__.split(".")[1] for tool in REGISTRY.values()} == folders


def test_each_tool_has_a_double_for_the_contract_suite() -> None:
    assert {name.partition(":")[0] for name in DOUBLES} == set(REGISTRY)


def test_each_tool_but_ones_own_tells_its_limits() -> None:
    assert {name for name, tool in REGISTRY.items() if not tool.limits} <= {"sandbox"}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_each_option_is_described_and_unknown_ones_are_errors(name: str) -> None:
    schema = SCHEMAS[name]()
    assert schema.unknown == marshmallow.RAISE
    for field in schema.fields.values():
        assert field.metadata["description"]


def test_bad_input_an_unknown_type_of_connection_is_named() -> None:
    connection = ConnectionSettings("crm", "smoke-signals")
    with (
        pytest.raises(Stop, match=r"smoke-signals; known are .*braze, "),
        open_tool(connection),
    ):
        pass
    assert "smoke-signals" in str(check(connection))


def test_bad_input_a_sandbox_nobody_placed_is_named() -> None:
    connection = ConnectionSettings("crm", "sandbox", (), {"url": None, "api_key": None})
    assert "url and api_key are not set" in str(check(connection))


@pytest.mark.parametrize("url", [
    "127.0.0.1:8001", "http://user:pw@host", "http://host/path", "", "http://[::1", "http://host:0",
    "http://host:99999", "http://host:port",
])  # fmt: skip
def test_bad_input_a_sandbox_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(marshmallow.ValidationError):
        SCHEMAS["sandbox"]().load({"url": url})


def test_only_the_seam_and_the_sandbox_speak_http() -> None:
    speaking = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if "requests" in names:
                speaking.add(str(path.relative_to(ROOT)))
    assert speaking == {"http.py", "sandbox/client.py", "sandbox/fetching.py"}


def test_a_web_process_that_knows_every_connector_stays_small() -> None:
    heavy = ("numpy", "pyarrow", "fsspec", "fastavro", "liquid")
    program = f"import sys, connectors.registry; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert run.stdout.decode().strip() == "[]"
