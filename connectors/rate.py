"""What a tool's answer says about its rate: RateLimit-*, Retry-After and their spellings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from math import isfinite

LONGEST_WAIT_S = 3700.0  # an hourly window that resets on the clock hour, and a little
EPOCH_FROM = 1e9  # a larger Reset is a point in time, a smaller one a number of seconds
PREFIXES = ("X-RateLimit-", "RateLimit-")  # the second is an IETF draft's


@dataclass(frozen=True)
class Rate:
    """The tool's rate window: ``remaining`` requests until ``reset_s`` seconds from now."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None


UNKNOWN = Rate()


def read_rate(headers: Mapping[str, str], *, now: float) -> Rate:
    """Rate of an answer. ``now`` is Unix time; rubbish in a header counts as its absence."""
    limit, remaining = _window(headers, "Limit"), _window(headers, "Remaining")
    return Rate(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_s=_reset_s(headers, now),
    )


def read_retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds that a 429 or 503 wants us to wait, by whichever header it has; None if none."""
    for name in ("Retry-After", "X-RateLimit-Retry-After"):
        seconds = _number(headers, name)
        if seconds is None:
            moment = _http_date(headers.get(name))
            seconds = None if moment is None else moment - _server_now(headers, now)
        if seconds is not None:
            return _bounded(seconds)
    return _reset_s(headers, now)


def _reset_s(headers: Mapping[str, str], now: float) -> float | None:
    reset = _window(headers, "Reset")
    if reset is None:
        return None
    # Both points in time come from the tool's clock, so a skew of ours does not matter.
    return _bounded(reset - _server_now(headers, now) if reset > EPOCH_FROM else reset)


def _server_now(headers: Mapping[str, str], now: float) -> float:
    moment = _http_date(headers.get("Date"))
    return now if moment is None else moment


@lru_cache(16)  # a second has many answers
def _http_date(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _window(headers: Mapping[str, str], tail: str) -> float | None:
    """A number of the rate window, by whichever prefix it has. A header may name several windows,
    as in ``10, 10;w=1, 150;w=60``: the first is the one that counts now."""
    for prefix in PREFIXES:
        number = _number(headers, prefix + tail)
        if number is not None:
            return number
    return None


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        number = float(headers[name].partition(",")[0])
    except (KeyError, ValueError):
        return None
    return number if isfinite(number) and abs(number) < 1e15 else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_S)
