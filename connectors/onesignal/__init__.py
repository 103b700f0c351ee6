"""OneSignal: user attributes as tags, segments as a tag and a rule, messages by template."""

from connectors.onesignal.connector import open_onesignal
from connectors.onesignal.options import OneSignalOptions
from connectors.onesignal.snippet import snippet
from connectors.onesignal.webhook import BODY, WEBHOOK
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "OneSignal",
    OneSignalOptions,
    open_onesignal,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": "1 user a request, 1,000 requests/s an app, 1 a second and user; tags are"
        " texts, 100 a request, fewer a user by plan",
        "segments": "a tag a segment; 1 user a request",
        "trigger": "1 recipient a request, 6,000 requests/s (150 on the free plan)",
        "events over HTTP": "an event stream with the header `Authorization: Bearer TOKEN` and the"
        f" body `{BODY}`",
        "identity": "users that are merged are read first: 1 a second",
    },
    snippet=snippet,
    webhook=WEBHOOK,
)
