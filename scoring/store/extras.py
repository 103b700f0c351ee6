"""What a night knows of a customer beside scores: the end of a customer record (version 3).

    bytes of the head u8; the head: consent to advertising (0 unknown, 1 no, 2 yes), place of the
    time zone in the layout's names + 1 (0 unknown), then for each channel with a word on
    messages at night its place · 2 + yes;
    the earliest day below (days since 1970), then three lists, a count and the entries each:
    messages sent (channel, day), due items (item, day, interval), watched items (item, event
    type, day, price + 1)

Every number but the first byte is LEB128, days are counted from the earliest one. A price is
decimal · 4 + digits after the point, at most three of them. Most customers share their head with
many others, which is why it is read through a cache.

Plain Python, as a web worker reads it; scoring.store.extras_packing writes many at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from scoring.columns import EVENT_TYPES
from scoring.store.errors import RecordError

MOST_DUE, MOST_WATCHED, MOST_SENT = 10, 10, 20
PRICE_DIGITS = 3  # after the point
MOST_MILLS = 2**53  # of a price
_CUT = 7  # bits of a number in one byte
_CONSENTS = (None, False, True)


class ExtrasNames(NamedTuple):
    """What a generation's layout numbers: time zones and channels."""

    timezones: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class Due(NamedTuple):
    """An item that the customer buys again and again; ``due_day`` in days since 1970 (UTC)."""

    number: int
    due_day: int
    interval_days: int


class Watched(NamedTuple):
    """An item looked at, carted or wished for and not bought since; ``price`` as it was then."""

    number: int
    event_type: str
    day: int
    price: float | None


class Sent(NamedTuple):
    """A message that the customer got; ``day`` in days since 1970 (UTC)."""

    channel: str
    day: int


class Profile(NamedTuple):
    """When and whether a customer may be written to; None: not known."""

    timezone: str | None = None
    ad_consent: bool | None = None
    night_consent: Mapping[str, bool] = MappingProxyType({})  # by channel


class Extras(NamedTuple):
    """``due`` soonest first, ``watched`` and ``sent`` newest first; items by published number."""

    timezone: str | None = None
    ad_consent: bool | None = None
    night_consent: Mapping[str, bool] = MappingProxyType({})  # by channel
    due: tuple[Due, ...] = ()
    watched: tuple[Watched, ...] = ()
    sent: tuple[Sent, ...] = ()


NO_EXTRAS = Extras()


def pack_extras(extras: Extras, names: ExtrasNames) -> bytes:
    """Nothing known takes no byte. Raises RecordError for a name that ``names`` lacks, a negative
    number or day, more entries than MOST_…, and a price that is none."""
    if extras == NO_EXTRAS:
        return b""
    head = _leb128(_head_numbers(extras, names))
    if len(head) > 0xFF:
        raise RecordError(f"consent for {len(extras.night_consent)} channels is too long")
    body = _body_numbers(extras, names)
    return bytes([len(head)]) + head + (_leb128(body) if any(body) else b"")


def unpack_extras(raw: bytes, names: ExtrasNames) -> Extras:
    """Raises RecordError for rubbish."""
    if not raw:
        return NO_EXTRAS
    profile = unpack_profile(raw, names)
    numbers = _numbers(raw[1 + raw[0] :])
    if not numbers:
        return Extras(*profile)
    taken = iter(numbers)
    try:
        base = next(taken)
        sent = tuple(
            Sent(names.channels[next(taken)], base + next(taken))
            for _ in range(_count(next(taken), MOST_SENT))
        )
        due = tuple(
            Due(next(taken), base + next(taken), next(taken))
            for _ in range(_count(next(taken), MOST_DUE))
        )
        watched = tuple(
            Watched(next(taken), EVENT_TYPES[next(taken)], base + next(taken), _price(next(taken)))
            for _ in range(_count(next(taken), MOST_WATCHED))
        )
    except (IndexError, StopIteration, RuntimeError) as problem:
        raise RecordError(f"extras of {len(raw)} bytes: {problem!r}") from None
    if next(taken, None) is not None:
        raise RecordError(f"extras of {len(raw)} bytes hold more than they tell")
    return Extras(*profile, due, watched, sent)


def unpack_profile(raw: bytes, names: ExtrasNames) -> Profile:
    """Only whether and when, from the same bytes: no list is read. Raises RecordError."""
    if not raw:
        return NO_PROFILE
    if len(raw) <= raw[0]:
        raise RecordError(f"extras of {len(raw)} bytes end within their head")
    return _profile(raw[1 : 1 + raw[0]], names)


NO_PROFILE = Profile()


@lru_cache(maxsize=4096)
def _profile(head: bytes, names: ExtrasNames) -> Profile:
    try:
        consent, zone, *nights = _numbers(head)
        night = {names.channels[number >> 1]: bool(number & 1) for number in nights}
        timezone = names.timezones[zone - 1] if zone else None
        return Profile(timezone, _CONSENTS[consent], MappingProxyType(night))
    except (ValueError, IndexError) as problem:
        raise RecordError(f"head of extras: {problem}") from None


def price_number(price: float | None) -> int:
    """How a price is told: 0 for none. Raises RecordError for what is no price."""
    if price is None:
        return 0
    if not 0 <= price * 10**PRICE_DIGITS < MOST_MILLS:
        raise RecordError(f"a price of {price}")
    digits = next(
        (count for count in range(PRICE_DIGITS) if round(price, count) == round(price, 3)),
        PRICE_DIGITS,
    )
    return (round(price * 10**digits) << 2 | digits) + 1


def _price(number: int) -> float | None:
    if not number:
        return None
    return ((number - 1) >> 2) / float(10 ** ((number - 1) & 3))


def _head_numbers(extras: Extras, names: ExtrasNames) -> list[int]:
    zone = 0 if extras.timezone is None else _place(names.timezones, extras.timezone) + 1
    night = extras.night_consent
    nights = [_place(names.channels, channel) << 1 | night[channel] for channel in sorted(night)]
    return [_CONSENTS.index(extras.ad_consent), zone, *nights]


def _body_numbers(extras: Extras, names: ExtrasNames) -> list[int]:
    """Zeros if there is no entry."""
    sent, due, watched = extras.sent, extras.due, extras.watched
    for entries, most in ((sent, MOST_SENT), (due, MOST_DUE), (watched, MOST_WATCHED)):
        if len(entries) > most:
            raise RecordError(f"{len(entries)} {type(entries[0]).__name__}, at most {most}")
    days = chain((e.day for e in sent), (e.due_day for e in due), (e.day for e in watched))
    base = min(days, default=0)
    return [
        base,
        len(sent),
        *chain(*((_place(names.channels, e.channel), e.day - base) for e in sent)),
        len(due),
        *chain(*((e.number, e.due_day - base, e.interval_days) for e in due)),
        len(watched),
        *chain(
            *(
                (e.number, _place(EVENT_TYPES, e.event_type), e.day - base, price_number(e.price))
                for e in watched
            )
        ),
    ]


def _place(names: Sequence[str], name: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise RecordError(f"extras name {name!r}, which the layout does not") from None


def _count(number: int, most: int) -> int:
    if number > most:
        raise RecordError(f"a list of {number} entries, at most {most}")
    return number


def _leb128(numbers: Sequence[int]) -> bytes:
    out = bytearray()
    for number in numbers:
        if number < 0:
            raise RecordError(f"extras hold the negative number {number}")
        rest = number
        while rest >> _CUT:
            out.append(rest & 0x7F | 0x80)
            rest >>= _CUT
        out.append(rest)
    return bytes(out)


def _numbers(raw: bytes) -> list[int]:
    return list(_each_number(raw))


def _each_number(raw: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in raw:
        if byte & 0x80:
            number |= (byte & 0x7F) << shift
            shift += _CUT
        else:
            yield number | byte << shift
            number = shift = 0
    if shift:
        raise RecordError("extras end within a number")
