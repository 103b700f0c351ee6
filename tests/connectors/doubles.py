"""For each connector of the registry, a double of its tool that the contract suite can look into.

A new connector adds a line to DOUBLES: a function that gives a connection to the running sandbox at
``url``, with every secret option set to KEY, ``timeout_s`` among the options, and the connector's
fixed hosts patched to ``url/tools/<tool>``. Its double is the one of the same name in
connectors.sandbox.tools; if it is another one, say so in BEHIND. A second line for a connector is
called ``<connector>:<anything>``. A connector without HTTP writes into the folder ``url`` and has a
line in READERS that reads what it wrote.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors import delivery
from connectors.braze.hosts import INSTANCES
from connectors.delivery import PushReport, Runtime, SyncReport
from connectors.generic.options import HttpOptions
from connectors.sandbox.client import Sandbox
from settings.workspace import AttributeSettings, ConnectionSettings

KEY = "key-of-the-double"
EXAMPLES = Path(__file__).parents[2] / "config" / "connections"
ATTRIBUTES = (
    AttributeSettings("rs_probability", "purchase_probability", round_to=0.05),
    AttributeSettings("rs_items", "top_items", length=3),
)


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now_s += seconds

    @property
    def slept_s(self) -> float:
        return sum(self.naps)

    def runtime(self) -> Runtime:
        return Runtime(monotonic=self, sleep=self.sleep, chance=random.Random(1))


@dataclass
class Double:
    """A connection, the tool behind it, and a short way to sync."""

    connection: ConnectionSettings
    tool: Sandbox
    time: FakeTime
    folder: Path
    desired: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def state_path(self) -> Path:
        return self.folder / "delivery" / "connection.sqlite"

    def sync(self, **options: Any) -> SyncReport:
        options = {"runtime": self.time.runtime(), "state_path": self.state_path, **options}
        return delivery.sync(self.connection, self.desired.items(), **options)

    def push(self, members: list[str], name: str = "Likely buyers", **options: Any) -> PushReport:
        options = {"runtime": self.time.runtime(), "state_path": self.state_path, **options}
        return delivery.push_segment(
            self.connection, segment_id="seg-1", name=name, members=members, **options
        )

    def held(self) -> dict[str, dict[str, Any]]:
        """What the tool holds: customer → attributes, without the empty ones."""
        reader = READERS.get(self.connection.type)
        return self.tool.held() if reader is None else reader(self.connection)

    def customers(self, count: int, probability: float = 0.5) -> None:
        """Desire ``count`` customers c000, c001, …"""
        self.desired = {
            f"c{n:03}": {"purchase_probability": probability, "top_items": ["a", "b"]}
            for n in range(count)
        }

    def with_options(self, **options: Any) -> Double:
        connection = replace(self.connection, options={**self.connection.options, **options})
        return replace(self, connection=connection)


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


Opener = Callable[[str, pytest.MonkeyPatch], ConnectionSettings]
Reader = Callable[[ConnectionSettings], dict[str, dict[str, Any]]]

DOUBLES: dict[str, Opener] = {
    "braze": braze_connection,
    "http": clevertap_connection,
    "http:braze": described_braze_connection,
    "sandbox": sandbox_connection,
}
BEHIND: dict[str, str] = {"sandbox": "braze", "http": "clevertap", "http:braze": "braze"}
READERS: dict[str, Reader] = {}
