"""The schema of the service file and of a workspace file: every key, its range, what it means.

The sections of a workspace file stand in settings.sections, sources in settings.source_schema,
connections in settings.connection_schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf, Regexp

from settings.connection_schema import ConnectionField, repeated_names
from settings.fields import (
    WEB_URL,
    WORKSPACE_NAME,
    Flag,
    Moment,
    Strict,
    Text,
    WholeNumber,
    Zone,
    about,
    between,
    filled,
)
from settings.landing_schema import LOCALES, LandingSchema
from settings.sections import (
    ContentSchema,
    GateSchema,
    ModelSchema,
    ScheduleSchema,
    SegmentSchema,
    SendSchema,
)
from settings.source_schema import SourceField
from settings.workspace import (
    LimitSettings,
    SandboxSettings,
    Settings,
    WebSettings,
    WorkspaceSettings,
)

LOG_LEVELS = ("debug", "info", "warning", "error")
REDIS_URL = Regexp(
    r"embedded\Z|(unix|(rediss?|valkeys?)(\+cluster)?)://\S+\Z",
    error="embedded, or a redis://, rediss://, valkey://, unix:// or redis+cluster:// URL",
)


class WorkspaceSchema(Strict):
    """One workspace file. ``connection_schemas``: the options of each connection type;
    ``source_schemas``: those of each source type beside the built-in ones."""

    target = WorkspaceSettings

    def __init__(
        self,
        connection_schemas: Mapping[str, type[Schema]],
        source_schemas: Mapping[str, type[Schema]] = MappingProxyType({}),
        file: Path = Path(),
    ) -> None:
        self.connection_schemas = connection_schemas
        self.source_schemas = source_schemas
        self.file = file
        super().__init__()

    workspace = Text(
        required=True,
        validate=WORKSPACE_NAME,
        metadata=about("name of the workspace; once in a service", "shop"),
    )
    locale = Text(validate=OneOf(LOCALES), metadata=about("language of the landing page", "ko"))
    timezone = Zone(
        metadata=about(
            "the zone of schedules, shown times, and events that name none", "Asia/Seoul"
        )
    )
    currency = Text(
        validate=Regexp(r"[A-Z]{3}\Z", error="an ISO 4217 code such as USD or KRW"),
        metadata=about("the currency of every price and cost", "KRW"),
    )
    as_of = Moment(
        allow_none=True,
        metadata=about(
            "the time that counts as now when the workspace starts; later events are not seen",
            "2017-12-04T00:00:00Z",
        ),
    )
    sources = fields.List(
        SourceField(),
        required=True,
        validate=Length(min=1, error="a list of at least one source"),
        metadata=about("where the data comes from"),
    )
    connections = fields.List(
        ConnectionField(), metadata=about("accounts of host tools that get scores and segments")
    )
    schedule = fields.Nested(ScheduleSchema, metadata=about("when jobs start"))
    models = fields.Nested(ModelSchema, metadata=about("what the nightly job learns"))
    gate = fields.Nested(GateSchema, metadata=about("what a night must reach to be published"))
    content = fields.Nested(ContentSchema, metadata=about("answers at send time"))
    landing = fields.Nested(LandingSchema, metadata=about("the personalised page"))
    segments = fields.Nested(SegmentSchema, metadata=about("defaults of segment jobs"))
    send = fields.Nested(SendSchema, metadata=about("whether a message is sent at all"))
    keep_snapshots = WholeNumber(
        validate=between(1, 365), metadata=about("nights kept on disk for roll-back", 7)
    )
    snapshot_ttl_days = WholeNumber(
        validate=between(1, 365),
        metadata=about("published scores vanish after so many days without a new night", 7),
    )
    keep_decisions_days = WholeNumber(
        validate=between(1, 3650),
        metadata=about("answers of content calls are kept in the lake for so many days", 90),
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def names_once(self, data: Any, original: Any, **_: Any) -> None:
        if not isinstance(original, Mapping):
            return
        errors = {
            key: repeated
            for key in ("sources", "connections")
            if (repeated := repeated_names(original.get(key)))
        }
        if errors:
            raise ValidationError(errors)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> WorkspaceSettings:
        workspace: WorkspaceSettings = super().make({**data, "file": self.file})
        return workspace


class WebSchema(Strict):
    target = WebSettings

    host = Text(
        validate=Regexp(r"[^\s/:]+\Z|[0-9a-fA-F:]+\Z", error="a host name or an IP address"),
        metadata=about("the address to listen on", "0.0.0.0"),  # noqa: S104
    )
    port = WholeNumber(validate=between(1, 65535), metadata=about("the port", 8000))
    workers = WholeNumber(validate=between(1, 256), metadata=about("web processes", 4))
    threads = WholeNumber(validate=between(1, 256), metadata=about("threads of each process", 8))
    public_url = Text(
        allow_none=True,
        validate=WEB_URL,
        metadata=about(
            "what landing links start with; default http://host:port", "https://reco.example.com"
        ),
    )


class LimitsSchema(Strict):
    """How often an API key may call."""

    target = LimitSettings

    content_per_s = WholeNumber(
        allow_none=True,
        validate=between(1, 1_000_000),
        metadata=about(
            "content calls of a key in each web process; more get the prepared non-personal "
            "answer (reason rate_limited), never an error; null: any number",
            5000,
        ),
    )
    events_per_s = WholeNumber(
        allow_none=True,
        validate=between(1, 1_000_000),
        metadata=about(
            "requests with events or items of a key in each web process; more are answered 429; "
            "null: any number",
            500,
        ),
    )
    administration_per_minute = WholeNumber(
        validate=between(1, 1_000_000),
        metadata=about(
            "calls of a key to all other routes, counted in the store for all web processes; "
            "more are answered 429, and 503 while the store cannot count",
            120,
        ),
    )


class SandboxSchema(Strict):
    target = SandboxSettings

    enabled = Flag(metadata=about("whether `rightsend up` starts the sandbox messaging tool", True))
    port = WholeNumber(
        allow_none=True,
        validate=between(1, 65535),
        metadata=about(
            "its port; default: `rightsend up` takes web.port + 1000 or another free one and keeps "
            "it; without `up`, web.port + 1",
            9000,
        ),
    )


class ServiceSchema(Strict):
    """The service file; loads to a dict, for its workspaces are files of their own."""

    target = Settings

    workspaces = fields.List(
        Text(validate=filled()),
        required=True,
        validate=Length(min=1, error="a list of at least one workspace file"),
        metadata=about(
            "workspace files or globs, relative to this file", ["shop.yaml", "clients/*.yaml"]
        ),
    )
    state_dir = Text(
        validate=filled(),
        metadata=about(
            "folder of everything that is kept, relative to this file; "
            "two installations have two of them",
            "/var/lib/rightsend",
        ),
    )
    redis_url = Text(
        validate=REDIS_URL,
        metadata=about(
            "embedded starts a Valkey server of its own; else redis://, rediss://, valkey://, "
            "unix:// or redis+cluster://",
            "redis://:${REDIS_PASSWORD}@redis:6379/0",
            secret=True,
        ),
    )
    secret = Text(
        allow_none=True,
        validate=Length(min=16, max=1000, error="at least 16 characters"),
        metadata=about(
            "signs landing links and hashes customer ids; default: made once, in state_dir/secret",
            "${file:/run/secrets/rightsend}",
            secret=True,
        ),
    )
    former_secrets = fields.List(
        Text(validate=Length(min=16, max=1000, error="at least 16 characters")),
        metadata=about(
            "secrets that were used before, newest first: links and erasures of then stay known",
            ["${file:/run/secrets/rightsend-2025}"],
            secret=True,
        ),
    )
    web = fields.Nested(WebSchema, metadata=about("the web processes"))
    limits = fields.Nested(LimitsSchema, metadata=about("how often an API key may call"))
    sandbox = fields.Nested(SandboxSchema, metadata=about("a messaging tool of one's own"))
    log_level = Text(validate=OneOf(LOG_LEVELS), metadata=about("how much is logged", "info"))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data
