"""The sections of a workspace file: schedule, models, gate, content, landing, segments,
send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Regexp

from settings.fields import (
    Channel,
    Cron,
    Flag,
    Mapped,
    Number,
    Strict,
    Text,
    WholeNumber,
    about,
    between,
    filled,
)
from settings.memory import MOST_SENT, SENT_DAYS
from settings.workspace import (
    ContentSettings,
    GateSettings,
    ModelSettings,
    ScheduleSettings,
    SegmentSettings,
    SendSettings,
)

CURRENCY = re.compile(r"[A-Z]{3}")
CURRENCY_EXPECTED = "an ISO 4217 code such as USD or KRW"
QUIET_HOURS = Regexp(
    r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]\Z",
    error='two times of day such as "21:00-08:00"',
)


class ScheduleSchema(Strict):
    target = ScheduleSettings

    nightly = Cron(
        allow_none=True,
        metadata=about("when the nightly job starts; null: only by hand", "30 2 * * *"),
    )
    sync = Cron(
        allow_none=True,
        metadata=about(
            "when scores are sent besides the nightly job's own sync; null: never",
            "0 9,15 * * mon-fri",
        ),
    )


class ModelSchema(Strict):
    target = ModelSettings

    horizon_days = WholeNumber(
        validate=between(1, 90),
        metadata=about("probabilities are about a purchase within so many days", 7),
    )
    seed = WholeNumber(
        validate=between(0, 2**31 - 1),
        metadata=about("seed of everything random; the same seed and data give the same scores", 1),
    )
    training_windows = WholeNumber(
        validate=between(2, 26),
        metadata=about(
            "how many windows of horizon_days the stacker learns from; the model that is judged "
            "every night learns from one less",
            3,
        ),
    )
    min_target_buyers = WholeNumber(
        validate=between(1, 1_000_000),
        metadata=about("a target with fewer buyers in the history leans on its neighbours", 20),
    )
    affinity_components = WholeNumber(
        validate=between(1, 512), metadata=about("dimensions of the affinity model", 32)
    )
    affinity_epochs = WholeNumber(
        validate=between(1, 500), metadata=about("passes of the affinity model over the data", 10)
    )
    published_items = WholeNumber(
        validate=between(1, 1000), metadata=about("items published for each customer", 50)
    )
    published_brands = WholeNumber(
        validate=between(1, 1000), metadata=about("brands published for each customer", 100)
    )
    published_categories = WholeNumber(
        validate=between(1, 1000), metadata=about("categories published for each customer", 20)
    )
    related_items = WholeNumber(
        validate=between(1, 200), metadata=about("related items published for each item", 20)
    )
    reasons_items = WholeNumber(
        validate=between(0, 255),
        metadata=about(
            "so many of a customer's best items are published with the reasons for them; 0: none",
            10,
        ),
    )


class GateSchema(Strict):
    target = GateSettings

    max_quality_drop_share = Number(
        validate=between(0, 1),
        metadata=about(
            "a night whose lift fell by more than this share, and by more than chance explains, "
            "is not published; 1 allows everything",
            0.1,
        ),
    )
    min_coverage_share = Number(
        validate=between(0, 1),
        metadata=about("a night that covers less than this share of customers is refused", 0.95),
    )


def only_currencies(rates: Mapping[str, float]) -> None:
    errors = {code: [CURRENCY_EXPECTED] for code in rates if not CURRENCY.fullmatch(code)}
    if errors:
        raise ValidationError(errors)


class ContentSchema(Strict):
    target = ContentSettings

    default_limit = WholeNumber(
        validate=between(1, 100), metadata=about("items of an answer when no limit is asked", 10)
    )
    max_limit = WholeNumber(
        validate=between(1, 100), metadata=about("most items that an answer can have", 50)
    )
    exclude_bought_days = WholeNumber(
        validate=between(0, 365),
        metadata=about("an item that was bought this recently is not recommended", 2),
    )
    diversity = Number(
        validate=between(0, 1),
        metadata=about(
            "variety in a list: above 0 no two items of one name, and the higher, the less of one "
            "category in a row; 0 is by probability alone",
            0.1,
        ),
    )
    currency_rates = Mapped(
        Number(validate=between(1e-9, 1e9)),
        validate=only_currencies,
        metadata=about(
            "what one unit of the workspace's currency is in others, for the parameter currency of "
            "content calls",
            {"EUR": 0.92, "KRW": 1380},
        ),
    )

    @validates_schema
    def default_within_max(self, data: dict[str, Any], **_: Any) -> None:
        most = data.get("max_limit", ContentSettings.max_limit)
        if data.get("default_limit", ContentSettings.default_limit) > most:
            key = "default_limit" if "default_limit" in data else "max_limit"
            raise ValidationError("default_limit to be at most max_limit", key)


class SegmentSchema(Strict):
    target = SegmentSettings

    holdout_share = Number(
        validate=between(0, 0.9),
        metadata=about("share of a segment that gets no message, for measuring", 0.05),
    )
    margin_share = Number(
        validate=between(0, 1),
        metadata=about("profit as a share of the price, for items without a margin", 0.3),
    )
    cost_per_send = Number(
        validate=between(0, 1_000_000),
        metadata=about("cost of one message in the workspace's currency", 0.01),
    )
    max_sends = WholeNumber(
        allow_none=True,
        validate=between(1, 1000),
        metadata=about("a customer with this many messages is fatigued; null: nobody is", 3),
    )
    max_sends_days = WholeNumber(
        validate=between(1, 365), metadata=about("the days in which max_sends counts", 7)
    )


class SendSchema(Strict):
    target = SendSettings

    quiet_hours = Text(
        allow_none=True,
        validate=QUIET_HOURS,
        metadata=about(
            "no advertising in these hours, local to the customer (to the workspace where the zone "
            "is not known), without a consent to messages at night; null: at any time",
            "20:50-08:00",
        ),
    )
    quiet_exempt = fields.List(
        Channel(validate=filled(40)),
        metadata=about(
            "channels that may come in quiet hours, without regard to case",
            ["email", "content_card"],
        ),
    )
    max_sends = WholeNumber(
        allow_none=True,
        validate=between(1, MOST_SENT),
        metadata=about(
            "no advertising to who had this many messages; null: no cap. The night keeps a "
            f"customer's newest {MOST_SENT}",
            3,
        ),
    )
    max_sends_days = WholeNumber(
        validate=between(1, SENT_DAYS), metadata=about("the days in which max_sends counts", 7)
    )
    when_unknown = Flag(
        metadata=about(
            "whether advertising goes out while the customer's consent cannot be looked up "
            "(`reason` store_unavailable, overloaded, rate_limited, no_snapshot, error); false: "
            "`send` is false with `unknown_consent`",
            False,
        )
    )
    holdouts = Mapped(
        Number(validate=between(0, 0.9)),
        metadata=about(
            "campaign to the share of its customers that gets no message, for measuring; a segment "
            "of the same name holds out the same customers",
            {"spring": 0.05},
        ),
    )
