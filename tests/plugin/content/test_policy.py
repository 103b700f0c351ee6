"""Whether a message is sent: the template aborts where the answer says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plugin.content.policy import SEND_REASONS, may_come_at_night, quiet
from scoring.holdout import CONTROL, TREATMENT, arm
from scoring.store.extras import Profile, Sent
from tests.plugin.content.counter import NOW, TODAY, ask, did, record, sending

SEOUL, YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")


def why(*recent, **how) -> str | None:
    found = ask(how.pop("kind", "for-you"), *recent, **how)
    assert found.send == (found.send_reason is None)
    assert found.send_reason is None or found.send_reason in SEND_REASONS
    return found.send_reason


def at(zone: ZoneInfo, *moment: int) -> datetime:
    return datetime(*moment, tzinfo=zone).astimezone(UTC)  # type: ignore[misc, arg-type]


def test_by_day_the_message_is_sent() -> None:
    assert why() is None


# consent


def test_no_advertising_without_consent_but_the_content_is_given() -> None:
    mine = record(ad_consent=False)
    found = ask(customer=mine)
    assert (found.send, found.send_reason) == (False, "no_consent")
    assert found.entries
    assert why(customer=mine, advertising="false") is None
    assert why(customer=record(ad_consent=True)) is None


# quiet hours


@pytest.mark.parametrize(
    ("hour", "minute", "sent"),
    [(20, 59, True), (21, 0, False), (23, 59, False), (0, 0, False), (7, 59, False), (8, 0, True)],
)
def test_at_night_of_the_customer_no_advertising(hour, minute, sent) -> None:
    when = at(SEOUL, 2026, 3, 2, hour, minute)
    reason = why(customer=record(timezone="Asia/Seoul"), at=when, channel="push")
    assert reason == (None if sent else "quiet_hours")


def test_the_customers_zone_counts_and_the_workspaces_where_it_is_not_known() -> None:
    night_in_utc = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)  # 07:00 in Seoul, 17:00 in New York
    assert why(at=night_in_utc) == "quiet_hours"
    assert why(at=night_in_utc, customer=record(timezone="America/New_York")) is None
    assert why(at=night_in_utc, customer=record(timezone="Asia/Seoul")) == "quiet_hours"


def test_a_consent_to_messages_at_night_is_one_for_its_channel() -> None:
    night = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
    mine = record(night_consent={"push": True, "sms": False})
    assert why(at=night, customer=mine, channel="push") is None
    assert why(at=night, customer=mine, channel="sms") == "quiet_hours"
    assert why(at=night, customer=mine) == "quiet_hours"  # of a channel nobody named


def test_mail_and_what_is_no_advertising_may_come_at_night() -> None:
    night = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
    assert why(at=night, channel="email") is None
    assert why(at=night, channel="push", advertising="false") is None
    assert why(at=night, channel="email", shop=sending(quiet_exempt=())) == "quiet_hours"


def test_a_channel_may_be_written_in_any_case() -> None:
    night = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
    assert why(at=night, channel="Email") is None
    mine = record(night_consent={"push": True, "sms": False})
    assert why(at=night, customer=mine, channel="PUSH") is None
    assert why(at=night, customer=mine, channel="SMS") == "quiet_hours"


@pytest.mark.parametrize(
    ("consent", "sent"),
    [({"Push": True}, True), ({"Push": False}, False), ({"PUSH": True, "push": False}, False)],
)
def test_a_consent_may_be_imported_in_any_case_and_a_refusal_counts_more(consent, sent) -> None:
    known = Profile(night_consent=consent)
    assert may_come_at_night(known, "push") is sent


def test_a_workspace_may_have_other_quiet_hours_or_none() -> None:
    night, noon = (datetime(2026, 3, 2, hour, 30, tzinfo=UTC) for hour in (22, 12))
    assert why(at=night, shop=sending(quiet_hours=None)) is None
    assert why(at=noon, shop=sending(quiet_hours="12:00-13:00")) == "quiet_hours"
    assert why(at=night, shop=sending(quiet_hours="12:00-13:00")) is None


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        # the clocks of New York go forward at 02:00 on 8 March, back at 02:00 on 1 November 2026
        (datetime(2026, 3, 8, 11, 59, tzinfo=UTC), True),  # 07:59, summer time
        (datetime(2026, 3, 8, 12, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 7, 12, 59, tzinfo=UTC), True),  # 07:59, winter time
        (datetime(2026, 3, 7, 13, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 12, 59, tzinfo=UTC), True),  # 07:59, winter time again
        (datetime(2026, 11, 1, 13, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), True),  # 01:30, for the first time
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), True),  # 01:30, for the second time
    ],
)
def test_quiet_hours_go_with_summer_time(moment, night) -> None:
    assert quiet("21:00-08:00", "America/New_York", "UTC", moment) is night


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Asia"])
def test_bad_input_a_zone_that_there_is_not_is_the_workspaces(zone) -> None:
    assert quiet("21:00-08:00", zone, "Asia/Seoul", at(SEOUL, 2026, 3, 2, 22, 0))


# already bought


@pytest.mark.parametrize("kind", ["related", "bought-together"])
def test_who_has_just_bought_the_item_gets_no_message_about_it(kind) -> None:
    assert why(did("purchase", "i0"), kind=kind, item="i0") == "already_bought"
    assert why(did("purchase", "i1"), kind=kind, item="i0") is None
    assert why(did("purchase", "i1", 50), kind=kind, item="i1") is None


@pytest.mark.parametrize(
    ("kind", "about"), [("related", {"item": "i1"}), ("rank", {"items": "i1"})]
)
def test_nor_does_who_bought_it_before_the_night(kind, about) -> None:
    mine = record(bought={1: TODAY + 1})
    assert why(kind=kind, customer=mine, **about) == "already_bought"
    assert why(kind=kind, customer=mine, at=NOW + timedelta(days=1), **about) is None


def test_who_has_bought_all_of_a_list_gets_no_message_about_it() -> None:
    assert why(did("purchase", "i0"), kind="rank", items="i0,i3") is None
    both = did("purchase", "i0"), did("purchase", "i3")
    assert why(*both, kind="rank", items="i0,i3") == "already_bought"


# fatigue


def test_who_had_as_many_messages_as_there_may_be_gets_no_more() -> None:
    shop = sending(max_sends=3, max_sends_days=7)
    had = tuple(Sent("push", TODAY - days) for days in (0, 2, 6))
    assert why(customer=record(sent=had), shop=shop) == "fatigue"
    assert why(customer=record(sent=had[:2]), shop=shop) is None
    assert why(customer=record(sent=(*had[:2], Sent("sms", TODAY - 7))), shop=shop) is None
    assert why(customer=record(sent=had), shop=shop, advertising="false") is None
    assert why(customer=record(sent=had)) is None


def test_messages_since_the_night_count_too_and_none_twice() -> None:
    shop = sending(max_sends=2)
    (hour, night) = ((NOW - timedelta(hours=hours)).timestamp() for hours in (1, 20))
    mine = record(sent=(Sent("push", TODAY - 1),))
    assert why(customer=mine, shop=shop, sent=(hour,)) == "fatigue"
    assert why(customer=mine, shop=shop, sent=(night,)) is None  # the night has counted it


# nothing to say, holdout


def test_without_an_item_there_is_nothing_to_say() -> None:
    assert why(kind="cart") == "nothing_to_say"


def test_about_half_are_held_out_and_always_the_same_ones() -> None:
    people = [bytes([n]) * 12 for n in range(200)]
    arms = [ask(who=who, campaign="measured").arm for who in people]
    assert 70 < arms.count(CONTROL) < 130
    assert arms == [ask(who=who, campaign="measured").arm for who in people]
    for who, of in zip(people, arms, strict=True):
        reason = why(who=who, campaign="measured")
        assert reason == ("holdout" if of == CONTROL else None)


def test_nobody_is_held_out_of_other_campaigns_and_nobody_unknown() -> None:
    people = [bytes([n]) * 12 for n in range(50)]
    assert {ask(who=who, campaign="other").arm for who in people} == {TREATMENT}
    assert ask(who=None, campaign="measured").arm == TREATMENT


def test_a_holdout_would_have_got_the_message_but_for_the_measuring() -> None:
    (who,) = [w for n in range(9) if arm(w := bytes([n]) * 12, "measured", 0.5) == CONTROL][:1]
    assert why(who=who, campaign="measured") == "holdout"
    assert why(who=who, campaign="measured", customer=record(ad_consent=False)) == "no_consent"
    assert ask(who=who, campaign="measured", customer=record(ad_consent=False)).arm == CONTROL


def test_a_larger_share_holds_out_the_same_customers_and_more() -> None:
    people = [n.to_bytes(12) for n in range(2000)]
    small, large = ({w for w in people if arm(w, "c", s) == CONTROL} for s in (0.1, 0.3))
    assert small < large
    assert 0.08 < len(small) / len(people) < 0.12
    other = {w for w in people if arm(w, "d", 0.3) == CONTROL}
    assert 0.06 < len(large & other) / len(people) < 0.12  # independent: 9 %


@pytest.mark.parametrize(("share", "held"), [(0.0, 0), (1.0, 100)])
def test_nobody_and_everybody(share, held) -> None:
    arms = [arm(n.to_bytes(12), "c", share) for n in range(100)]
    assert arms.count(CONTROL) == held
