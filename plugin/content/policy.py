"""Whether the message should be sent to this customer now, and if not, why not.

The content is given either way: the template decides by ``send``. Asked in the order of REASONS; a
holdout comes last, so that ``holdout`` means: would have got the message but for the measuring.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugin.content.asked import Asked, Picked
from plugin.content.known import DAY_S, bought, cutoff_s, day, extras, profile
from scoring.holdout import CONTROL, TREATMENT, arm
from scoring.store.extras import Profile
from settings.workspace import SendSettings

NO_CONSENT = "no_consent"
UNKNOWN_CONSENT = "unknown_consent"
ALREADY_BOUGHT = "already_bought"
QUIET_HOURS = "quiet_hours"
FATIGUE = "fatigue"
NOTHING_TO_SAY = "nothing_to_say"
HOLDOUT = "holdout"
# what each means, for the API's and the marketer's documentation
SEND_REASONS: Mapping[str, str] = {
    NO_CONSENT: "advertising, and the customer did not agree to any",
    UNKNOWN_CONSENT: "advertising, the customer's record could not be looked at, and "
    "`send.when_unknown` is false",
    ALREADY_BOUGHT: "the customer has just bought the item it is about, or all of the items",
    QUIET_HOURS: "advertising in quiet hours without a consent to messages at night",
    FATIGUE: "advertising, and the customer had as many messages lately as there may be",
    NOTHING_TO_SAY: "there is no item to show",
    HOLDOUT: "held out of this campaign, to measure what the message is worth",
}


class Verdict(NamedTuple):
    """``send_reason``: None or one of SEND_REASONS; ``arm``: of the campaign's holdout."""

    send: bool
    send_reason: str | None
    arm: str


def verdict(asked: Asked, picked: Picked) -> Verdict:
    """Whether to send. Raises RecordError for a damaged record."""
    held = _arm(asked)
    reason = _reason(asked, picked)
    if reason is None and held == CONTROL:
        reason = HOLDOUT
    return Verdict(reason is None, reason, held)


def withhold(picked: Picked, arguments: Mapping[str, Any], send: SendSettings) -> None:
    """For an answer that was made without the customer's record, and so without their consent: no
    advertising, where ``send.when_unknown`` says so."""
    if not send.when_unknown and arguments.get("advertising", True):
        picked.send, picked.send_reason = False, UNKNOWN_CONSENT


def _reason(asked: Asked, picked: Picked) -> str | None:
    arguments = asked.arguments
    advertising = arguments.get("advertising", True)
    channel = arguments.get("channel", "")
    known = profile(asked)
    if advertising and known.ad_consent is False:
        return NO_CONSENT
    if _has_bought(asked):
        return ALREADY_BOUGHT
    if advertising and not may_come_at_night(known, channel):
        send = asked.settings.send
        zone = known.timezone or asked.settings.timezone
        if (
            send.quiet_hours
            and channel not in send.quiet_exempt
            and quiet(send.quiet_hours, zone, asked.settings.timezone, asked.now)
        ):
            return QUIET_HOURS
    if advertising and asked.settings.send.max_sends is not None and _tired(asked):
        return FATIGUE
    return None if picked.entries else NOTHING_TO_SAY


def quiet(hours: str, zone: str, otherwise: str, now: datetime) -> bool:
    """Whether it is within ``hours`` ("21:00-08:00": from 21:00:00 until before 08:00:00) in
    ``zone``, in ``otherwise`` if there is no such zone."""
    return _quiet(hours, zone, otherwise, int(now.timestamp()) // 60)


@lru_cache(maxsize=4096)
def _quiet(hours: str, zone: str, otherwise: str, minute: int) -> bool:
    """Once a minute and zone."""
    local = datetime.fromtimestamp(minute * 60, _zone(zone) or _zone(otherwise))
    at = local.hour * 60 + local.minute
    begin, end = (int(each[:2]) * 60 + int(each[3:]) for each in hours.split("-"))
    return begin <= at < end if begin <= end else at >= begin or at < end


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # no such zone, or no name of one
        return None


def may_come_at_night(known: Profile, channel: str) -> bool:
    """Whether there is a consent for ``channel`` (lower case); those imported may be written in any
    case."""
    said = [yes for name, yes in known.night_consent.items() if name.lower() == channel]
    return bool(said) and all(said)


def _has_bought(asked: Asked) -> bool:
    """The item that the message is about; of a list that is to be ranked, all of it."""
    item = asked.arguments.get("item")
    items = asked.arguments.get("items", ())
    if not (item or items):
        return False
    gone = bought(asked)
    number_of = asked.reading.published.catalogue.number
    if item and number_of(item) in gone:
        return True
    return bool(items) and all(number_of(each) in gone for each in items)


def _tired(asked: Asked) -> bool:
    """As many messages as there may be: those that the night counted, and those since then."""
    send = asked.settings.send
    since_day = day(asked) - send.max_sends_days
    counted = sum(1 for sent in extras(asked).sent if sent.day > since_day)
    from_s = max(cutoff_s(asked.reading.published), (since_day + 1) * DAY_S)
    counted += sum(1 for at_s in asked.reading.sent if at_s >= from_s)
    return send.max_sends is not None and counted >= send.max_sends


def _arm(asked: Asked) -> str:
    holdouts = asked.settings.send.holdouts
    share = holdouts.get(asked.arguments.get("campaign", ""), 0.0) if holdouts else 0.0
    customer = asked.reading.customer
    return arm(customer, asked.arguments["campaign"], share) if share and customer else TREATMENT
