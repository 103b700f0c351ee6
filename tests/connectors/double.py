"""A connection to a double, its time, and a short way to sync and to compare."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectors import delivery
from connectors.delivery import PushReport, Runtime, SyncReport
from connectors.registry import REGISTRY, open_tool
from connectors.sandbox.client import Sandbox
from connectors.tool import Encoded, Limits, Target, Tool
from settings.workspace import AttributeSettings, ConnectionSettings

LOG = logging.getLogger(__name__)
KEY = "key-of-the-double"
SEGMENT = "seg-1"
FEW = 10  # records a request, so that few customers need several
Reader = Callable[[ConnectionSettings], dict[str, dict[str, Any]]]
ATTRIBUTES = (
    AttributeSettings("rs_probability", "purchase_probability", round_to=0.05),
    AttributeSettings("rs_items", "top_items", length=3),
)


class FakeTime:
    """Time that passes only when somebody sleeps."""

    newest: FakeTime  # of the running test

    def __init__(self) -> None:
        FakeTime.newest = self
        self.now_s = 1_800_000_000.0
        self.naps: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.naps.append(seconds)
            self.now_s += seconds

    @staticmethod
    def let_pass(seconds: float) -> None:
        """Sleep in the time of the running test."""
        FakeTime.newest.sleep(seconds)

    @property
    def slept_s(self) -> float:
        return sum(self.naps)

    def runtime(self, workers: int = 1) -> Runtime:
        return Runtime(self, self.sleep, random.Random(1), workers)


@dataclass(frozen=True)
class Spelling:
    """How customers are called where a tool takes ids of one form only (an e-mail address): from
    the suite's id to such a one, and back."""

    theirs: Callable[[str], str] = str
    ours: Callable[[str], str] = str


AS_IT_IS = Spelling()


class FewerItems:
    """A target whose requests take at most ``items`` records."""

    def __init__(self, target: Target, items: int, spelling: Spelling) -> None:
        self._target = target
        self._spelling = spelling
        self.limits = replace(target.limits, items=min(items, target.limits.items))

    def addressable(self, key: str) -> bool:
        return self._target.addressable(self._spelling.theirs(key))

    def encode(self, key: str, change: Mapping[str, Any]) -> Encoded:
        return self._target.encode(self._spelling.theirs(key), change)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class SmallTool:
    """A tool all of whose targets are such."""

    def __init__(self, tool: Tool, items: int, spelling: Spelling) -> None:
        self._tool = tool
        self._how = items, spelling

    def attributes(self) -> FewerItems:
        return FewerItems(self._tool.attributes(), *self._how)

    def segment(self, segment_id: str) -> FewerItems:
        return FewerItems(self._tool.segment(segment_id), *self._how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)


class Looker(Sandbox):
    """The sandbox, asked in the suite's ids."""

    def __init__(self, url: str, key: str, tool: str, spelling: Spelling) -> None:
        super().__init__(url, key, tool)
        self._spelling = spelling

    def held(self) -> dict[str, dict[str, Any]]:
        return {self._spelling.ours(who): values for who, values in super().held().items()}

    def members(self, segment_id: str) -> list[str]:
        return sorted(map(self._spelling.ours, super().members(segment_id)))

    def turn(self, **dials: Any) -> None:
        if "blocked" in dials:
            dials["blocked"] = [self._spelling.theirs(who) for who in dials["blocked"]]
        super().turn(**dials)


def take_fewer(
    kind: str, items: int, patch: pytest.MonkeyPatch, spelling: Spelling = AS_IT_IS
) -> None:
    """From now on connections of this kind send at most ``items`` records a request."""
    connector = REGISTRY[kind]

    def opened(connection: ConnectionSettings) -> Any:
        return SmallTool(connector.open(connection), items, spelling)

    patch.setitem(REGISTRY, kind, replace(connector, open=opened))


@dataclass
class Double:
    """A connection, the tool behind it, and a short way to sync.

    Its requests take at most ``FEW`` records, until ``full_size`` is called. ``form`` turns a value
    of ours into the tool's; ``reader`` reads what a connector without HTTP wrote.
    """

    connection: ConnectionSettings
    tool: Sandbox
    time: FakeTime
    folder: Path
    url: str = ""
    name: str = "sandbox"
    full_size: Callable[[], None] = lambda: None
    form: Callable[[Any], Any] = lambda value: value
    reader: Reader | None = None
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
        report = delivery.sync(self.connection, self.desired.items(), **options)
        if report.rejected:
            LOG.warning("%s: rejected %s", self.name, report.rejected)  # shown if a test fails
        return report

    def push(self, members: list[str], name: str = "Likely buyers", **options: Any) -> PushReport:
        options = {"runtime": self.time.runtime(), "state_path": self.state_path, **options}
        return delivery.push_segment(
            self.connection, segment_id=SEGMENT, name=name, members=members, **options
        )

    def held(self) -> dict[str, dict[str, Any]]:
        """What the tool holds: customer → attributes, without the empty ones."""
        return self.tool.held() if self.reader is None else self.reader(self.connection)

    def as_held(self, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Scores as the attributes that the tool holds, called as the connection calls them."""
        names = {each.score: each.name for each in self.connection.attributes}
        return {names[score]: self.form(value) for score, value in scores.items()}

    def wanted(self) -> dict[str, dict[str, Any]]:
        """What the tool must hold of ``desired`` as ``customers`` makes it."""
        return {customer: self.as_held(scores) for customer, scores in self.desired.items()}

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
    if is_dataclass(value) and not isinstance(value, type):
        own = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
        return replace(value, **{name: _replaced(entry, wrong) for name, entry in own.items()})
    return value.replace(KEY, wrong) if isinstance(value, str) else value
