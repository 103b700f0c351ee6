"""For each connector of the registry, a double of its tool that the contract suite can look into.

A new connector adds a line to DOUBLES: a function that gives a connection to the running sandbox at
``url``, with KEY in every secret option, and the connector's fixed hosts patched to
``url/tools/<tool>``. Its options have ``timeout_s``. Its double is the one of the same name in
connectors.sandbox.tools; if it is another one, BEHIND says so. A second line for a connector is
called ``<connector>:<anything>``. Where a tool cannot hold numbers or lists as they are, FORMS has
a function from our value to its. A connector without HTTP writes into the folder ``url`` and has a
line in READERS that reads what it wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.braze.hosts import INSTANCES
from connectors.files.options import FilesOptions
from connectors.generic.options import HttpOptions
from connectors.registry import REGISTRY
from connectors.sandbox.tools import TOOLS
from connectors.tool import Ability
from settings.workspace import ConnectionSettings
from tests.connectors.double import ATTRIBUTES, KEY, Double, FakeTime, Reader
from tests.connectors.files.reading import held

__all__ = ["BEHIND", "DOUBLES", "FORMS", "KEY", "READERS", "Double", "FakeTime"]

SLOW_REQUESTS = 200
EXAMPLES = Path(__file__).parents[2] / "config" / "connections"


def sandbox_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return ConnectionSettings("crm", "sandbox", ATTRIBUTES, {"url": url, "api_key": KEY})


def braze_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(INSTANCES, "double-01", url)
    options = {
        "instance": "double-01",
        "api_key": KEY,
        "update_existing_only": False,
        "partner_name": "rightsend",
        "partner_api_key": KEY,
        "partner_client_secret": KEY,
    }
    return ConnectionSettings("crm", "braze", ATTRIBUTES, options)


def described(file: Path, base_url: str, key: str = KEY) -> ConnectionSettings:
    """The first connection in ``file``, at ``base_url``, with ``key`` for each of its secrets."""
    text = re.sub(r"\$\{\w+\}", key, file.read_text())
    entry = {**yaml.safe_load(text)[0], "base_url": base_url}
    options = {name: entry[name] for name in HttpOptions().fields if name in entry}
    return ConnectionSettings("crm", "http", ATTRIBUTES, HttpOptions().load(options))


def clevertap_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return described(EXAMPLES / "clevertap.yaml", f"{url}/tools/clevertap")


def described_braze_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return described(Path(__file__).parent / "generic" / "braze.yaml", url)


def files_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return ConnectionSettings("crm", "files", ATTRIBUTES, FilesOptions().load({"url": url}))


def read_files(connection: ConnectionSettings) -> dict[str, dict[str, Any]]:
    return held(Path(connection.options["url"]))


Opener = Callable[[str, pytest.MonkeyPatch], ConnectionSettings]

DOUBLES: dict[str, Opener] = {
    "braze": braze_connection,
    "files": files_connection,
    "http": clevertap_connection,
    "http:braze": described_braze_connection,
    "sandbox": sandbox_connection,
}
BEHIND: dict[str, str] = {"sandbox": "braze", "http": "clevertap", "http:braze": "braze"}
FORMS: dict[str, Callable[[Any], Any]] = {}
# What the tool behind a line cannot do, though its connector can.
CANNOT: dict[str, set[str]] = {"http": {Ability.IDENTITY}, "http:braze": {Ability.IDENTITY}}
READERS: dict[str, Reader] = {"files": read_files}


def connector_of(name: str) -> str:
    """The registry's name of a line of DOUBLES."""
    return name.partition(":")[0]


def traits(name: str) -> set[str]:
    """What scenarios may ask of a connector beside its abilities.

    ``http``: speaks to a tool. ``batches``: takes several records a request. ``tells-rate``: the
    tool says how many requests are left. ``slow``: it takes few enough requests that a test can
    fill a window.
    """
    if connector_of(name) in READERS:
        return {"batches"}
    shown = TOOLS.get(BEHIND.get(name, name))
    found = {"http"}
    if shown is None or shown.rate_headers.remaining:
        found.add("tells-rate")
    FakeTime()
    with pytest.MonkeyPatch.context() as patch:
        tool = REGISTRY[connector_of(name)].open(DOUBLES[name]("http://127.0.0.1:1", patch))
        target = tool.attributes()
        tool.close()
    if target.limits.items > 1:
        found.add("batches")
    if target.windows and min(window.requests for window in target.windows) <= SLOW_REQUESTS:
        found.add("slow")
    return found
