"""Extras in a customer's record: what is packed comes back, in few bytes; rubbish is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.columns import EVENT_TYPES
from scoring.store.errors import RecordError
from scoring.store.extras import (
    NO_EXTRAS,
    Due,
    Extras,
    ExtrasNames,
    Profile,
    Sent,
    Watched,
    pack_extras,
    unpack_extras,
    unpack_profile,
)

NAMES = ExtrasNames(("Asia/Seoul", "Europe/Berlin", "UTC"), ("app_push", "email", "kakao", "sms"))
DAY = 20_700
numbers = st.integers(0, 2**21)
days = st.integers(0, 2**16)
prices = st.none() | st.integers(0, 10**12).map(lambda mills: mills / 1000)
channels = st.sampled_from(NAMES.channels)
extras = st.builds(
    Extras,
    st.none() | st.sampled_from(NAMES.timezones),
    st.none() | st.booleans(),
    st.dictionaries(channels, st.booleans()),
    st.lists(st.builds(Due, numbers, days, st.integers(0, 400)), max_size=10).map(tuple),
    st.lists(
        st.builds(Watched, numbers, st.sampled_from(EVENT_TYPES), days, prices), max_size=10
    ).map(tuple),
    st.lists(st.builds(Sent, channels, days), max_size=20).map(tuple),
)
TYPICAL = Extras(
    "Asia/Seoul",
    True,
    {"app_push": False},
    (Due(31_000, DAY + 3, 8), Due(4_000, DAY + 5, 30), Due(77_000, DAY + 40, 61)),
    (
        Watched(99_000, "view", DAY - 1, 59_000.0),
        Watched(12_345, "cart", DAY - 2, 12.99),
        Watched(3, "view", DAY - 30, None),
        Watched(70_123, "interest", DAY - 59, 129_000.0),
    ),
    (),
)


@given(extras)
def test_what_is_packed_comes_back(told: Extras) -> None:
    assert unpack_extras(pack_extras(told, NAMES), NAMES) == told


@given(extras)
def test_the_profile_is_read_without_the_lists(told: Extras) -> None:
    profile = unpack_profile(pack_extras(told, NAMES), NAMES)
    assert profile == (told.timezone, told.ad_consent, told.night_consent)


def test_a_customer_of_whom_nothing_is_known_takes_no_byte() -> None:
    assert pack_extras(NO_EXTRAS, NAMES) == b""
    assert unpack_extras(b"", NAMES) == NO_EXTRAS
    assert unpack_profile(b"", NAMES) == Profile()


def test_consent_and_zone_alone_take_three_bytes() -> None:
    assert len(pack_extras(Extras("UTC", False), NAMES)) == 3


def test_three_due_and_four_watched_items_take_less_than_60_bytes() -> None:
    assert len(pack_extras(TYPICAL, NAMES)) < 60


@given(extras, st.data())
def test_bad_input_a_part_of_extras_is_refused_or_tells_less(
    told: Extras, data: st.DataObject
) -> None:
    raw = pack_extras(told, NAMES)
    part = raw[: data.draw(st.integers(0, max(len(raw) - 1, 0)))]
    try:
        less = unpack_extras(part, NAMES)
    except RecordError:
        return
    assert not (less.due or less.watched or less.sent)


@given(st.binary(min_size=1, max_size=60))
def test_bad_input_rubbish_is_read_or_refused_but_never_breaks(raw: bytes) -> None:
    for read in (unpack_extras, unpack_profile):
        try:
            read(raw, NAMES)
        except RecordError:
            continue


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (Extras(timezone="Mars/Olympus"), "Mars/Olympus"),
        (Extras(night_consent={"pigeon": True}), "pigeon"),
        (Extras(sent=(Sent("pigeon", DAY),)), "pigeon"),
        (Extras(due=(Due(-1, DAY, 3),)), "negative"),
        (Extras(due=(Due(1, DAY, 3),) * 11), "11 Due, at most 10"),
        (Extras(watched=(Watched(1, "view", DAY, -2.0),)), "price"),
        (Extras(watched=(Watched(1, "view", DAY, float("nan")),)), "price"),
        (Extras(watched=(Watched(1, "stare", DAY, None),)), "stare"),
    ],
)
def test_bad_input_what_cannot_be_told_is_refused(told: Extras, problem: str) -> None:
    with pytest.raises(RecordError, match=problem):
        pack_extras(told, NAMES)


def test_bad_input_names_of_another_layout_are_refused() -> None:
    raw = pack_extras(TYPICAL, NAMES)
    with pytest.raises(RecordError):
        unpack_extras(raw, ExtrasNames())
