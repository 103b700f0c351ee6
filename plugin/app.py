"""create_app(): the one place where the plugin's concrete parts are wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import redis
from flask import Flask
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.routing import BaseConverter

from plugin import audit, customers, documentation, logs, operations, probes, secret
from plugin.auth import Keys
from plugin.content import routes as content
from plugin.content.call import Calls
from plugin.content.fields import in_query
from plugin.decisions import DecisionLogs
from plugin.errors import ErrorHandlerMixin, no_snapshot, store_unavailable
from plugin.events import devices, items, webhooks
from plugin.events import routes as events
from plugin.events.items import ItemBatchSchema, LiveItemSchema
from plugin.events.schema import EventBatchSchema, EventSchema
from plugin.events.translating import Translator
from plugin.front import Front
from plugin.headers import secure
from plugin.jsonio import OrjsonProvider
from plugin.landing import clicks
from plugin.landing import routes as landing
from plugin.landing.token import Links
from plugin.landing.tracking import Place, Tracker
from plugin.limits import Limits
from plugin.metrics import Metrics
from plugin.presence import Presence
from plugin.pressure import Pressure
from plugin.queue import Jobs
from plugin.runtime import Runtime, Workspace
from plugin.scrape import Scrape
from plugin.segments import routes as segments
from plugin.trail import Trail
from scoring.clock import Clock
from scoring.columns import EXTERNAL_ID, IDENTIFIER_KINDS
from scoring.store import live
from scoring.store.client import connect
from scoring.store.erasure import PendingErasures, erase
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.keys import Keys as StoreKeys
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from scoring.store.recent_record import SENT_MESSAGES
from scoring.store.segments import SegmentJobs
from scoring.store.taps import Taps
from scoring.store.wire import Wire
from settings.workspace import Settings, WorkspaceSettings

MAX_BODY_BYTES = 2 * 1024 * 1024
STORE_TIMEOUT_S = 2.0  # of what writes or queues; content calls wait far less
_BLUEPRINTS = (
    content,
    landing,
    clicks,
    events,
    items,
    devices,
    webhooks,
    segments,
    customers,
    operations,
    audit,
    probes,
)


class _Api(ErrorHandlerMixin, Api):
    DEFAULT_ERROR_RESPONSE_NAME = None  # each route names the errors that it can give

    def handle_store_trouble(self, error: Exception) -> ResponseReturnValue:
        reason = getattr(error, "reason", type(error).__name__)
        logs.log.warning("store unavailable", reason=reason)
        return self.handle_http_exception(
            no_snapshot() if reason == "no_snapshot" else store_unavailable()
        )


class _App(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Flask's own line has the address, which may hold a customer's id."""
        logs.log.error("exception", route=logs.route(), exc_info=exc_info)


class _AnythingConverter(BaseConverter):
    """An id that may hold slashes and line ends, as many as it likes."""

    regex = r"[\s\S]+"
    part_isolating = False


def create_app(
    settings: Settings,
    *,
    redis_url: str,
    translators: Mapping[str, Translator] = MappingProxyType({}),
) -> Flask:
    """The WSGI app. Connects to Redis at ``redis_url`` only when a request needs it.

    ``translators`` says, by type of connection, how what a host tool tells becomes events.

    Raises OSError or plugin.secret.SecretError when the state folder is unusable.
    """
    logs.configure(settings.log_level)
    app = _App("plugin", static_folder=None, template_folder="landing/templates")
    app.config.update(documentation.CONFIG, MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    app.json = OrjsonProvider(app)
    app.url_map.strict_slashes = False  # a host tool does not follow redirects
    app.url_map.merge_slashes = False
    app.url_map.converters["anything"] = _AnythingConverter
    found = _runtime(settings, redis_url, translators)
    found.install(app)
    _watch(found)
    logs.install(app)
    found.metrics.install(app)
    app.after_request(secure)
    api = _Api(app)
    api.ma_plugin.converter.add_parameter_attribute_function(in_query)
    api.register_converter(_AnythingConverter, lambda _: {"type": "string", "minLength": 1})
    for module in _BLUEPRINTS:
        api.register_blueprint(module.blueprint)
    api.spec.components.schema("Event", schema=EventSchema)
    api.spec.components.schema("EventBatch", schema=EventBatchSchema)
    api.spec.components.schema("LiveItem", schema=LiveItemSchema)
    api.spec.components.schema("ItemBatch", schema=ItemBatchSchema)
    app.register_blueprint(documentation.pages)
    for trouble in (StoreUnavailable, RecordError, redis.RedisError):
        app.register_error_handler(trouble, api.handle_store_trouble)
    app.wsgi_app = Front(app, found)  # type: ignore[method-assign]
    return app


def _runtime(settings: Settings, redis_url: str, translators: Mapping[str, Translator]) -> Runtime:
    key = secret.load(settings)
    patient = connect(redis_url, within_s=STORE_TIMEOUT_S)
    hasty = connect(redis_url, send_time=True)
    metrics, pressure = Metrics(), Pressure()
    wire = Wire(hasty, watch=metrics)
    reader = partial(Reader, hasty, watch=metrics, wire=wire)
    presence = Presence(hasty)
    decisions = DecisionLogs(hasty, dropped=metrics.dropped)
    workspaces = {
        name: _workspace(
            settings, found, key=key, patient=patient, reader=reader, decisions=decisions
        )
        for name, found in settings.workspaces.items()
    }
    places = {name: Place(Taps(patient, name), each.recent) for name, each in workspaces.items()}
    return Runtime(
        settings=settings,
        workspaces=workspaces,
        no_keys=Keys(settings.workspace_dir("")),
        links=Links(key, key.former),
        tracker=Tracker(places, metrics),
        metrics=metrics,
        presence=presence,
        wire=wire,
        scrape=Scrape(hasty).registries,
        pressure=pressure,
        limits=Limits(settings.limits, presence),
        secret=key,
        translators=translators,
    )


def _watch(found: Runtime) -> None:
    """What this process can tell of itself at any moment."""
    readers = [workspace.reader for workspace in found.workspaces.values()]
    gauge = found.metrics.gauge
    gauge("web_waiting_calls", "Calls that have no thread yet", lambda: found.pressure.waiting)
    gauge(
        "web_store_away",
        "Workspaces for which a web worker answers without the store, added up over the workers",
        lambda: sum(reader.away for reader in readers),
    )
    gauge(
        "web_live_behind_seconds",
        "For how long a worker has known of changed items and not had the change",
        lambda: max((reader.behind_s for reader in readers), default=0.0),
        "livemax",
    )


def _workspace(
    settings: Settings,
    found: WorkspaceSettings,
    *,
    key: bytes,
    patient: Any,
    reader: Callable[..., Reader],
    decisions: DecisionLogs,
) -> Workspace:
    folder = settings.workspace_dir(found.workspace)
    folder.mkdir(parents=True, exist_ok=True)
    capped = found.send.max_sends is not None
    return Workspace(
        settings=found,
        folder=folder,
        keys=Keys(folder),
        now=Clock.open(folder, found.as_of).now,
        reader=reader(found.workspace, key, folder, sends=SENT_MESSAGES if capped else 0),
        recent=RecentEvents(patient, found.workspace, key, counts_sent=capped),
        store_items=partial(live.remember, patient, StoreKeys(found.workspace)),
        segments=SegmentJobs(patient, found.workspace),
        jobs=Jobs(patient, found.workspace),
        decisions=decisions.log(found.workspace, folder),
        calls=Calls(found.content, found.currencies),
        erase=lambda customer: _erase(patient, found.workspace, key, customer),
        erasures=PendingErasures(patient, found.workspace),
        trail=Trail(folder, key),
    )


def _erase(client: Any, workspace: str, key: bytes, customer: str) -> None:
    """Under all readings of the text: as external id, and as kind:identifier if it is that."""
    kind, _, identifier = customer.partition(":")
    identifiers = [(EXTERNAL_ID, customer)]
    if identifier and kind in IDENTIFIER_KINDS:
        identifiers.append((kind, identifier))
    erase(client, workspace, key, identifiers)
