"""What a request finds: the workspaces with their keys, clocks, readers and queues, wired once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from prometheus_client import CollectorRegistry

from plugin.auth import Keys
from plugin.content.call import Calls
from plugin.decisions import DecisionLog
from plugin.events.translating import Translator
from plugin.landing.token import Links
from plugin.landing.tracking import Tracker
from plugin.limits import Limits
from plugin.metrics import Metrics
from plugin.presence import Presence
from plugin.pressure import Pressure
from plugin.queue import Jobs
from plugin.trail import Trail
from scoring.store.erasure import PendingErasures
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from scoring.store.segments import SegmentJobs
from scoring.store.wire import Wire
from settings.workspace import Settings, WorkspaceSettings

_EXTENSION = "rightsend"
_CONTENT = b"GET /v1/content/"


@dataclass(frozen=True)
class Workspace:
    """One client of the service, as the routes see it."""

    settings: WorkspaceSettings
    folder: Path
    keys: Keys
    now: Callable[[], datetime]  # the workspace's clock: as_of and on from there, or the wall clock
    reader: Reader
    recent: RecentEvents
    store_items: Callable[[Sequence[tuple[str, Mapping[str, Any], float]], float], None]
    segments: SegmentJobs
    jobs: Jobs
    decisions: DecisionLog
    calls: Calls
    erase: Callable[[str], None]  # a customer, from the store, at once
    erasures: PendingErasures
    trail: Trail

    @cached_property
    def zone(self) -> ZoneInfo:
        """Of times that the shop gives without one."""
        return ZoneInfo(self.settings.timezone)


@dataclass(frozen=True)
class Runtime:
    """The whole installation, as the routes see it."""

    settings: Settings
    workspaces: Mapping[str, Workspace]
    no_keys: Keys  # of a workspace that is not there
    links: Links
    tracker: Tracker
    metrics: Metrics
    presence: Presence
    wire: Wire  # content calls' own way to the store
    scrape: Callable[[Workspace], Sequence[CollectorRegistry]]  # what only a scrape reads
    pressure: Pressure
    limits: Limits
    secret: bytes
    translators: Mapping[str, Translator]  # by type of connection: what tools tell, as events

    @cached_property
    def landing_prefix(self) -> str:
        """What landing links begin with."""
        return f"{self.settings.public_url}/l/"

    def quick(self, head: bytes) -> bool:
        """Whether a request with this head is over in a moment: content, while the store is."""
        if not (self.wire.swift and head.startswith(_CONTENT)):
            return False
        return not any(each.reader.loading for each in self.workspaces.values())

    def install(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self


def runtime() -> Runtime:
    """The runtime of the current app."""
    found: Runtime = current_app.extensions[_EXTENSION]
    return found
