"""A reason: a code, a few whole numbers, and the 32 bits in which both are stored.

From the top: 6 bits number of the code, 12 bits first parameter, 14 bits second. Nothing that
happened is so frequent or so old that it does not fit; what is larger is cut to the limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST_REASONS = 3  # of one member or item
LIMITS = (0xFFF, 0x3FFF)  # of the first and of the second parameter
SHIFTS = (14, 0)
CODE_SHIFT = 26

# code → its parameters. Numbers are positions from 1 on and stand in stored snapshots: append only.
# days: on so many days; ago_days: last so many days ago; gap_days: between two; share_permille
PARAMETERS: dict[str, tuple[str, ...]] = {
    "bought": ("days", "ago_days"),
    "due": ("gap_days",),
    "interest": ("days", "ago_days"),
    "clicked": ("days", "ago_days"),
    "brand": ("days", "ago_days"),
    "category": ("days", "ago_days"),
    "similar_customers": (),
    "best_seller": ("share_permille",),
    "bought_again": ("share_permille",),
    "shops": ("days", "ago_days"),
    "visit_due": ("gap_days",),
    "price": (),
    "profile": (),
    "similar_products": (),
    "cheaper": (),
    "kind": ("days", "ago_days"),
}
CODES = tuple(PARAMETERS)


class ReasonError(ValueError):
    """A reason that cannot be: an unknown code, or parameters that do not fit it."""


class Reason(NamedTuple):
    """``code``: one of CODES; ``parameters``: whole numbers, in the order of PARAMETERS[code]."""

    code: str
    parameters: tuple[int, ...] = ()

    @property
    def named(self) -> dict[str, int]:
        """The parameters by name. Raises ReasonError."""
        _check(self)
        return dict(zip(PARAMETERS[self.code], self.parameters, strict=True))


def encode(reasons: Iterable[Reason]) -> list[int]:
    """Each reason as an unsigned 32-bit number, strongest first.

    Raises ReasonError for a reason that cannot be, or for more than three.
    """
    packed = []
    for reason in reasons:
        _check(reason)
        number = (CODES.index(reason.code) + 1) << CODE_SHIFT
        for value, limit, shift in zip(reason.parameters, LIMITS, SHIFTS, strict=False):
            number |= min(value, limit) << shift
        packed.append(number)
    if len(packed) > MOST_REASONS:
        raise ReasonError(f"{len(packed)} reasons; at most {MOST_REASONS} are kept")
    return packed


def decode(packed: Iterable[int]) -> tuple[Reason, ...]:
    """The reasons of ``encode``, zeros left out.

    Raises ReasonError for rubbish: an unknown code, a parameter that the code does not have, a
    code told twice, or more than three.
    """
    reasons = tuple(_decoded(int(number)) for number in packed if number)
    if len(reasons) > MOST_REASONS or len({reason.code for reason in reasons}) < len(reasons):
        raise ReasonError(f"{[reason.code for reason in reasons]} are not up to three reasons")
    return reasons


def _decoded(number: int) -> Reason:
    position = number >> CODE_SHIFT
    if not 1 <= position <= len(CODES):
        raise ReasonError(f"reason {number:#x} has code {position}, known are 1 to {len(CODES)}")
    code = CODES[position - 1]
    values = [number >> shift & limit for limit, shift in zip(LIMITS, SHIFTS, strict=True)]
    given = len(PARAMETERS[code])
    if any(values[given:]):
        raise ReasonError(f"reason {code} takes {given} parameters, {number:#x} holds more")
    return Reason(code, tuple(values[:given]))


def _check(reason: Reason) -> None:
    names = PARAMETERS.get(reason.code)
    if names is None:
        raise ReasonError(f"no reason is called {reason.code!r}; known are {', '.join(CODES)}")
    if len(reason.parameters) != len(names) or any(value < 0 for value in reason.parameters):
        wanted = ", ".join(names) or "no parameters"
        raise ReasonError(f"reason {reason.code} takes {wanted}, not {reason.parameters}")
