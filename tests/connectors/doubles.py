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

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connectors import delivery
from connectors.braze.hosts import INSTANCES
from connectors.customerio import hosts as customerio_hosts
from connectors.delivery import PushReport, Runtime, SyncReport
from connectors.moengage.hosts import DATA_CENTERS
from connectors.onesignal.hosts import HOSTS as ONESIGNAL_HOSTS
from connectors.onesignal.tags import tag
from connectors.registry import REGISTRY, open_tool
from connectors.sandbox.client import Sandbox
from connectors.sandbox.tools import TOOLS
from connectors.tool import Limits, Target, Tool
from settings.workspace import AttributeSettings, ConnectionSettings

KEY = "key-of-the-double"
SEGMENT = "seg-1"
SLOW_REQUESTS = 200
FEW = 10  # records a request, so that few customers need several
ATTRIBUTES = (
    AttributeSettings("rs_probability", "purchase_probability", round_to=0.05),
    AttributeSettings("rs_items", "top_items", length=3),
)


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.naps: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.naps.append(seconds)
            self.now_s += seconds

    @property
    def slept_s(self) -> float:
        return sum(self.naps)

    def runtime(self, workers: int = 1) -> Runtime:
        return Runtime(self, self.sleep, random.Random(1), workers)


class FewerItems:
    """A target whose requests take at most ``items`` records."""

    def __init__(self, target: Target, items: int) -> None:
        self._target = target
        self.limits = replace(target.limits, items=min(items, target.limits.items))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class SmallTool:
    """A tool all of whose targets are such."""

    def __init__(self, tool: Tool, items: int) -> None:
        self._tool = tool
        self._items = items

    def attributes(self) -> FewerItems:
        return FewerItems(self._tool.attributes(), self._items)

    def segment(self, segment_id: str) -> FewerItems:
        return FewerItems(self._tool.segment(segment_id), self._items)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)


def take_fewer(kind: str, items: int, patch: pytest.MonkeyPatch) -> None:
    """From now on connections of this kind send at most ``items`` records a request."""
    connector = REGISTRY[kind]

    def opened(connection: ConnectionSettings) -> Any:
        return SmallTool(connector.open(connection), items)

    patch.setitem(REGISTRY, kind, replace(connector, open=opened))


@dataclass
class Double:
    """A connection, the tool behind it, and a short way to sync.

    Its requests take at most ``FEW`` records, until ``full_size`` is called.
    """

    connection: ConnectionSettings
    tool: Sandbox
    time: FakeTime
    folder: Path
    url: str = ""
    name: str = "sandbox"
    full_size: Callable[[], None] = lambda: None
    desired: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def state_path(self) -> Path:
        return self.folder / "delivery" / "connection.sqlite"

    @property
    def limits(self) -> Limits:
        with open_tool(self.connection) as tool:
            return tool.attributes().limits

    def sync(self, *, workers: int = 1, **options: Any) -> SyncReport:
        options = {
            "runtime": self.time.runtime(workers), "state_path": self.state_path, **options,
        }  # fmt: skip
        return delivery.sync(self.connection, self.desired.items(), **options)

    def push(self, members: list[str], name: str = "Likely buyers", **options: Any) -> PushReport:
        options = {"runtime": self.time.runtime(), "state_path": self.state_path, **options}
        return delivery.push_segment(
            self.connection, segment_id=SEGMENT, name=name, members=members, **options
        )

    def held(self) -> dict[str, dict[str, Any]]:
        """What the tool holds: customer → attributes, without the empty ones."""
        reader = READERS.get(self.connection.type)
        return self.tool.held() if reader is None else reader(self.connection)

    def as_held(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Our attributes in the form in which the tool holds them."""
        form = FORMS.get(self.connection.type, lambda value: value)
        return {name: form(value) for name, value in attributes.items()}

    def wanted(self) -> dict[str, dict[str, Any]]:
        """What the tool must hold of ``desired`` as ``customers`` makes it."""
        names = {"purchase_probability": "rs_probability", "top_items": "rs_items"}
        return {
            customer: self.as_held({names[score]: value for score, value in scores.items()})
            for customer, scores in self.desired.items()
        }

    def customers(self, count: int, probability: float = 0.5) -> None:
        """Desire ``count`` customers c000, c001, …"""
        self.desired = {
            f"c{n:03}": {"purchase_probability": probability, "top_items": ["a", "b"]}
            for n in range(count)
        }

    def statuses(self) -> list[int]:
        """Of the calls that the tool took, in any order."""
        return [call["status"] for call in self.tool.calls(2_000) if call["direction"] == "in"]

    def with_options(self, **options: Any) -> Double:
        connection = replace(self.connection, options={**self.connection.options, **options})
        return replace(self, connection=connection)

    def with_wrong_key(self, wrong: str) -> Double:
        options = _replaced(dict(self.connection.options), wrong)
        return replace(self, connection=replace(self.connection, options=options))


def _replaced(value: Any, wrong: str) -> Any:
    """The same options with KEY exchanged wherever it stands."""
    if isinstance(value, Mapping):
        return {name: _replaced(entry, wrong) for name, entry in value.items()}
    return value.replace(KEY, wrong) if isinstance(value, str) else value


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


def customerio_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(customerio_hosts.TRACK, "us", f"{url}/tools/customerio")
    patch.setitem(customerio_hosts.APP, "us", f"{url}/tools/customerio")
    options = {
        "region": "us",
        "site_id": "site",
        "api_key": KEY,
        "app_api_key": KEY,
        "update_existing_only": False,
        "webhook_signing_key": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "customerio", ATTRIBUTES, options)


def onesignal_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(ONESIGNAL_HOSTS, "api", f"{url}/tools/onesignal")
    options = {
        "app_id": "11111111-2222-3333-4444-555555555555",
        "api_key": KEY,
        "webhook_token": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "onesignal", ATTRIBUTES, options)


def moengage_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(DATA_CENTERS, "01", f"{url}/tools/moengage")
    options = {
        "data_center": "01",
        "workspace_id": "workspace",
        "api_key": KEY,
        "update_existing_only": False,
        "webhook_token": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "moengage", ATTRIBUTES, options)


Opener = Callable[[str, pytest.MonkeyPatch], ConnectionSettings]
Reader = Callable[[ConnectionSettings], dict[str, dict[str, Any]]]

DOUBLES: dict[str, Opener] = {
    "braze": braze_connection,
    "customerio": customerio_connection,
    "moengage": moengage_connection,
    "onesignal": onesignal_connection,
    "sandbox": sandbox_connection,
}
BEHIND: dict[str, str] = {"sandbox": "braze"}
FORMS: dict[str, Callable[[Any], Any]] = {"onesignal": tag}
# A trigger of these carries a key by which the tool knows it again: a lost answer is asked for.
KEYED_TRIGGERS = {"onesignal"}
READERS: dict[str, Reader] = {}


def connector_of(name: str) -> str:
    """The registry's name of a line of DOUBLES."""
    return name.partition(":")[0]


def traits(name: str) -> set[str]:
    """What scenarios may ask of a connector beside its abilities.

    ``http``: speaks to a tool. ``batches``: takes several records a request. ``tells-rate``: the
    tool says how many requests are left. ``slow``: it takes few enough requests that a test can
    fill a window. ``trigger-once``: a trigger whose answer was lost must not be repeated.
    """
    if connector_of(name) in READERS:
        return {"batches"}
    double = TOOLS.get(BEHIND.get(name, name))
    found = {"http"} if name in KEYED_TRIGGERS else {"http", "trigger-once"}
    if double is None or double.rate_headers.remaining:
        found.add("tells-rate")
    with pytest.MonkeyPatch.context() as patch:
        tool = REGISTRY[connector_of(name)].open(DOUBLES[name]("http://127.0.0.1:1", patch))
        target = tool.attributes()
        tool.close()
    if target.limits.items > 1:
        found.add("batches")
    if target.windows and min(window.requests for window in target.windows) <= SLOW_REQUESTS:
        found.add("slow")
    return found
