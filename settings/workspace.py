"""What a configuration file becomes: frozen value objects that every other room may import.

Units live in names (``timeout_s``, ``ttl_s``, ``horizon_days``). Times are UTC and timezone-aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ColumnMapping:
    """How one canonical column is made from source columns (exactly one way is set).

    ``column`` takes a source column; ``value`` is a constant; ``join`` concatenates columns with
    ``separator``; ``divide`` is the first column over the second; ``object`` (key → column) makes
    the text of a JSON object, without the keys whose value is missing. ``translate`` maps source
    values to canonical ones (an unknown value is a bad row). ``format`` is a strptime format,
    ``unix_s`` or ``unix_ms``; ``timezone`` is the zone of naive times (default UTC).
    """

    column: str | None = None
    value: Any = None
    join: tuple[str, ...] = ()
    separator: str = "-"
    divide: tuple[str, str] | None = None
    object: Mapping[str, str] | None = None
    translate: Mapping[str, str] | None = None
    format: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True)
class SourceSettings:
    """One file, folder, glob, warehouse table or packaged data set, mapped to a canonical table."""

    name: str
    type: str  # file, ibis, completejourney, or one of a connector
    table: str  # events, items, customers, campaigns, offers
    columns: Mapping[str, ColumnMapping]
    path: str | None = None  # type file: file, folder or glob, relative to the workspace file
    format: str | None = None  # type file: csv, ndjson, parquet (default: by file name)
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True  # without a header source columns are named c0, c1, …
    url: str | None = field(default=None, repr=False)  # type ibis (may hold a password)
    relation: str | None = None  # type ibis: table name; completejourney: data set name
    sql: str | None = None  # type ibis: instead of a table name
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a connector's own keys


@dataclass(frozen=True)
class ScheduleSettings:
    """Cron expressions (minute hour day month weekday) in the workspace's zone; None = never."""

    nightly: str | None = "0 3 * * *"
    sync: str | None = None  # the nightly job syncs already


@dataclass(frozen=True)
class ModelSettings:
    horizon_days: int = 7
    seed: int = 1
    training_windows: int = 5  # label windows of horizon_days; the newest one judges the others
    min_target_buyers: int = 20
    affinity_components: int = 16
    affinity_epochs: int = 6
    published_items: int = 50
    published_brands: int = 100
    published_categories: int = 20
    related_items: int = 20
    reasons_items: int = 10  # of each customer's list, from the best on; 0: none


@dataclass(frozen=True)
class GateSettings:
    max_quality_drop_share: float = 0.1  # of yesterday's lift@20
    min_coverage_share: float = 0.95  # of yesterday's customers


@dataclass(frozen=True)
class ContentSettings:
    default_limit: int = 10
    max_limit: int = 50
    exclude_bought_days: int = 2  # an item bought this recently is not recommended
    diversity: float = 0.1  # 0: lists by probability alone … 1: most variety
    # what one unit of the workspace's currency costs in others (ISO 4217 code → units)
    currency_rates: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class LandingSettings:
    title: Mapping[str, str] = field(
        default_factory=lambda: {"en": "Picked for you", "ko": "고객님을 위한 추천"}
    )
    shop_name: str | None = None
    shop_url: str | None = None
    logo_url: str | None = None
    dark_logo_url: str | None = None
    accent_color: str = "#0b5cd5"
    colors: Mapping[str, str] = field(
        default_factory=lambda: {"page": "#f6f5f2", "card": "#ffffff", "text": "#1b1b1f"}
    )
    dark_colors: Mapping[str, str] = field(
        default_factory=lambda: {"page": "#131316", "card": "#1e1e22", "text": "#f2f1ee"}
    )
    dark_mode: str = "auto"  # always, never
    font: str | None = None
    image_url: str | None = None  # {image_url} and {width}: a picture of another width
    deep_links: Mapping[str, str] = field(default_factory=dict)  # item, brand, category, page
    universal_links: Mapping[str, str] = field(default_factory=dict)
    link_ttl_days: int = 30
    limit: int = 24


@dataclass(frozen=True)
class SegmentSettings:
    holdout_share: float = 0.0
    margin_share: float = 0.3  # of price, when an item has no margin
    cost_per_send: float = 0.0  # in the workspace's currency
    max_sends: int | None = None  # fatigue: at most this many message_sent …
    max_sends_days: int = 7  # … within this many days


@dataclass(frozen=True)
class SendSettings:
    """Whether a message is sent at all. ``quiet_hours``: "HH:MM-HH:MM" local to the customer, None
    for none; ``when_unknown``: whether advertising goes out while nobody can look up consent;
    ``holdouts``: campaign → share that gets no message."""

    quiet_hours: str | None = "21:00-08:00"
    quiet_exempt: tuple[str, ...] = ("email",)  # channels that may come at night
    max_sends: int | None = None  # fatigue: no more once so many message_sent came …
    max_sends_days: int = 7  # … within this many days
    when_unknown: bool = True
    holdouts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AttributeSettings:
    """One user attribute that a connection keeps up to date in the host tool.

    ``score`` is a name in scoring.columns.ATTRIBUTE_SCORES. ``round_to`` (a step such as 0.05)
    makes a number coarse, or ``buckets`` (rising bounds) with one label more than bounds;
    ``length`` cuts an array. ``type``: ``text`` writes a number or a list as text, ``boolean`` is
    true from the only bound of ``buckets`` on. ``hold`` says how far a number may move, or how many
    entries of an array may be replaced, before the tool's value is changed
    (connectors.delivery.attributes). ``along``: written only with another attribute.
    ``priority``: what a budget is spent on first.
    """

    name: str
    score: str
    round_to: float | None = None
    length: int | None = None
    type: str | None = None  # text, boolean; default: as the score is
    buckets: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    hold: float | None = None
    along: bool = False
    priority: int = 1


@dataclass(frozen=True)
class ConnectionSettings:
    """A host tool account. ``options`` was validated by the connector's own schema."""

    name: str
    type: str  # key of connectors.registry.REGISTRY
    attributes: tuple[AttributeSettings, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may hold secrets
    data_points: int | None = None  # budget of a sync


@dataclass(frozen=True)
class WorkspaceSettings:
    """One client of the service. ``file`` is the YAML file (relative paths start there)."""

    workspace: str  # [a-z0-9][a-z0-9_-]{0,39}
    file: Path
    sources: tuple[SourceSettings, ...]
    locale: str = "en"  # en or ko
    timezone: str = "UTC"
    currency: str = "USD"
    as_of: datetime | None = None
    schedule: ScheduleSettings = ScheduleSettings()
    models: ModelSettings = ModelSettings()
    gate: GateSettings = GateSettings()
    content: ContentSettings = ContentSettings()
    landing: LandingSettings = field(default_factory=LandingSettings)
    segments: SegmentSettings = SegmentSettings()
    send: SendSettings = field(default_factory=SendSettings)
    connections: tuple[ConnectionSettings, ...] = ()
    keep_snapshots: int = 7  # kept on disk for roll-back
    snapshot_ttl_days: int = 7  # in Redis: a dead workspace disappears
    keep_decisions_days: int = 400  # in the lake

    @cached_property
    def currencies(self) -> frozenset[str]:
        """What prices can be told in."""
        return frozenset({self.currency, *self.content.currency_rates})


@dataclass(frozen=True)
class WebSettings:
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 8
    public_url: str | None = None  # default http://host:port; landing links start with it


@dataclass(frozen=True)
class LimitSettings:
    """Of every API key. Content and events are counted by each web process for itself."""

    content_per_s: int | None = 20_000
    events_per_s: int | None = 2_000  # requests, each of up to 500 events
    administration_per_minute: int = 600  # in all web processes together


@dataclass(frozen=True)
class SandboxSettings:
    enabled: bool = True
    port: int | None = None  # default: chosen by `rightsend up`, else web port + 1


@dataclass(frozen=True)
class Settings:
    """The service. ``redis_url`` is ``embedded`` or a redis://, rediss://, unix:// or
    redis+cluster:// URL (valkey:// likewise)."""

    file: Path
    state_dir: Path
    workspaces: Mapping[str, WorkspaceSettings]
    redis_url: str = field(default="embedded", repr=False)
    secret: str | None = field(default=None, repr=False)  # default: made once, state_dir/secret
    former_secrets: tuple[str, ...] = field(default=(), repr=False)  # newest first
    web: WebSettings = WebSettings()
    limits: LimitSettings = LimitSettings()
    sandbox: SandboxSettings = SandboxSettings()
    log_level: str = "info"

    def workspace_dir(self, workspace: str) -> Path:
        """Everything a workspace keeps on disk: state_dir/workspaces/<workspace>."""
        return self.state_dir / "workspaces" / workspace

    @property
    def public_url(self) -> str:
        return (self.web.public_url or f"http://{self.web.host}:{self.web.port}").rstrip("/")

    @property
    def sandbox_port(self) -> int:
        return self.sandbox.port or self.web.port + 1

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"
