"""Options of a connection of type ``http``: a tool described in YAML.

docs/generic-connector.md explains every key.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import time
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf, Regexp

from connectors.generic.auth import AUTH_KEYS, Auth
from connectors.generic.requests import (
    NOTHING,
    AttributesRequest,
    Batch,
    BatchLimits,
    Call,
    ItemErrors,
    MergeRequest,
    QuietHours,
    Requests,
    SegmentRequests,
    Success,
    TriggerRequest,
)
from connectors.http import LOOPBACK_HOSTS
from connectors.options import ApiOptions
from connectors.tool import Window
from settings.fields import (
    Flag,
    Mapped,
    Number,
    Scalar,
    Strict,
    Text,
    WholeNumber,
    Zone,
    about,
    between,
    filled,
)

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
# What the client and the proxies on the way decide.
OWN_HEADERS = frozenset(
    {"connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"}
)
PRINTABLE = Regexp(r"[ -~]+\Z", error="printable ASCII characters")
POINTER = Regexp(r"(/[^/]*)*\Z", error='a JSON pointer such as /errors, or "" for all of it')
PATH = Regexp(r"/[!-\"$-~]*\Z", error="a path that begins with / and has no space and no #")
METHODS = OneOf(("POST", "PUT", "PATCH", "DELETE", "GET"))
RATE_HEADERS = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
)


def usable_address(url: str) -> None:
    """Raises ValidationError for what is no https://host[:port][/path]; http only for this
    machine."""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS
        usable = re.fullmatch(r"https?://[^/\s@?#\\]+(/[^\s@?#\\]*)?", url) and parts.port != 0
    except ValueError:
        usable = secure = False
    if not (usable and secure):
        raise ValidationError("must look like https://host or https://host/path")


class Template(fields.Raw):
    """JSON with placeholders; what may stand in it is checked with its request."""


class Headers(Mapped):
    """Header names and values that can be sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(validate=PRINTABLE), **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        headers = super()._deserialize(value, *args, **kwargs)
        for name in headers:
            if not HEADER_NAME.match(str(name)) or name.lower() in OWN_HEADERS:
                raise ValidationError({name: ["is no header that can be set here"]})
        return headers


class ClockTime(Text):
    """``HH:MM``."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
            raise ValidationError('a time of the day such as "21:00"')
        return time.fromisoformat(text)


class AuthSchema(Strict):
    target = Auth

    type = Text(required=True, validate=OneOf(tuple(AUTH_KEYS)))
    token = Text(validate=PRINTABLE)
    user = Text(validate=PRINTABLE)
    password = Text(validate=PRINTABLE)
    headers = Headers()
    token_url = Text(validate=usable_address)
    client_id = Text(validate=PRINTABLE)
    client_secret = Text(validate=PRINTABLE)
    parameters = Mapped(Scalar())

    @validates_schema(skip_on_field_errors=True)
    def fits_type(self, data: dict[str, Any], **_: Any) -> None:
        needed, possible = AUTH_KEYS[data["type"]]
        errors = {key: [f"is needed for {data['type']}"] for key in needed if not data.get(key)}
        for key in data.keys() - {"type", *needed, *possible}:
            errors[key] = [f"does not belong to {data['type']}"]
        if errors:
            raise ValidationError(errors)


class SuccessSchema(Strict):
    target = Success

    statuses = fields.List(WholeNumber(validate=between(200, 499)), validate=Length(min=1))
    field = Text(validate=POINTER)
    values = fields.List(Scalar(), validate=Length(min=1))
    reasons = fields.List(Text(validate=POINTER))

    @validates_schema
    def is_whole(self, data: dict[str, Any], **_: Any) -> None:
        if ("field" in data) != ("values" in data):
            missing = "values" if "field" in data else "field"
            raise ValidationError("field and values need each other", missing)


class ItemErrorsSchema(Strict):
    target = ItemErrors

    entries = Text(required=True, validate=POINTER)
    index = Text(validate=POINTER)
    id = Text(validate=POINTER)
    message = Text(validate=POINTER)


class WindowSchema(Strict):
    target = Window

    requests = WholeNumber(required=True, validate=between(1, 1_000_000_000))
    seconds = Number(required=True, validate=between(0.001, 86_400))
    clock = Flag()


class LimitsSchema(Strict):
    target = BatchLimits

    items = WholeNumber(required=True, validate=between(1, 100_000))
    body_bytes = WholeNumber(validate=between(1_000, 100_000_000))
    item_bytes = WholeNumber(validate=between(100, 10_000_000))
    id_bytes = WholeNumber(validate=between(1, 10_000))


class CallSchema(Strict):
    """``shared`` are the placeholders of the request as a whole."""

    target: ClassVar[type] = Call

    path = Text(required=True, validate=PATH)
    method = Text(validate=METHODS)
    body = Template(allow_none=True)
    success = fields.Nested(SuccessSchema)

    def __init__(self, shared: frozenset[str] = NOTHING, **options: Any) -> None:
        super().__init__(**options)
        self.shared = shared

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        request: Call = self.target(
            **{key: tuple(each) if key in ("windows", "errors") else each
               for key, each in data.items()}
        )  # fmt: skip
        errors: dict[str, list[str]] = defaultdict(list)
        for key, problem in request.problems(self.shared):
            errors[key].append(problem)
        if errors:
            raise ValidationError(dict(errors))
        return request


class BatchSchema(CallSchema):
    target = Batch

    record = Template(required=True)
    limits = fields.Nested(LimitsSchema, required=True)
    windows = fields.List(fields.Nested(WindowSchema))
    errors = fields.List(fields.Nested(ItemErrorsSchema))


class AttributesSchema(BatchSchema):
    target = AttributesRequest

    shape = Text(validate=OneOf(("mapping", "list")))
    set = Template()
    remove = Template(allow_none=True)
    join = Text(validate=filled(10))


class QuietHoursSchema(Strict):
    target = QuietHours

    start = ClockTime(required=True)
    end = ClockTime(required=True)
    timezone = Zone(required=True)
    consent = Text(validate=filled(100))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        return QuietHours(**{**data, "timezone": ZoneInfo(data["timezone"])})


class TriggerSchema(BatchSchema):
    target = TriggerRequest

    quiet_hours = fields.Nested(QuietHoursSchema)
    ad_text = Text(validate=filled(100))
    ad_label = Text(validate=filled(20))


class MergeSchema(BatchSchema):
    target = MergeRequest


SEGMENT_ID = frozenset({"segment_id"})


class SegmentSchema(Strict):
    target = SegmentRequests

    add = fields.Nested(lambda: BatchSchema(SEGMENT_ID), required=True)
    remove = fields.Nested(lambda: BatchSchema(SEGMENT_ID), required=True)
    declare = fields.Nested(lambda: CallSchema(SEGMENT_ID | {"segment_name"}))


class RequestsSchema(Strict):
    target = Requests

    attributes = fields.Nested(AttributesSchema)
    segment = fields.Nested(SegmentSchema)
    trigger = fields.Nested(lambda: TriggerSchema(frozenset({"campaign_id"})))
    erase = fields.Nested(BatchSchema)
    merge = fields.Nested(MergeSchema)
    check = fields.Nested(CallSchema)


class Checked(fields.Nested):
    """Checked with the configuration and loaded when the connection is opened: options of a
    connection are plain data."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        super()._deserialize(value, *args, **kwargs)
        return value


class HttpOptions(ApiOptions):
    """A tool with a JSON API."""

    base_url = fields.String(
        required=True,
        validate=usable_address,
        metadata=about("the only host that is spoken to", "https://in1.api.clevertap.com"),
    )
    auth = Checked(
        AuthSchema,
        required=True,
        metadata=about("how the tool knows us: bearer, basic, headers or oauth2", secret=True),
    )
    requests = Checked(
        RequestsSchema,
        required=True,
        metadata=about("what the tool can be asked: docs/generic-connector.md"),
    )
    headers = Headers(
        load_default=dict,
        metadata=about("headers of every request that are no secret"),
    )
    secrets = fields.List(
        Text(validate=PRINTABLE),
        load_default=list,
        metadata=about("keys that stand in a body: no report shows them", secret=True),
    )
    rate_headers = Mapped(
        Text(validate=Regexp(HEADER_NAME, error="the name of a header")),
        load_default=dict,
        metadata=about(
            f"the tool's own names of {', '.join(RATE_HEADERS)}",
            {"X-RateLimit-Remaining": "RateLimit-Remaining"},
        ),
    )

    @validates_schema
    def knows_rate_headers(self, data: dict[str, Any], **_: Any) -> None:
        for name in data.get("rate_headers", {}).keys() - set(RATE_HEADERS):
            known = ", ".join(RATE_HEADERS)
            raise ValidationError({"rate_headers": {name: [f"one of: {known}"]}})
