"""The page's two charts as coordinates; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 440  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 84, 30, 16, 62  # margins
LOWEST = 1e-6  # of a probability that is drawn
MARKS = (0.1, 0.2)  # shares of the customers that the page speaks of

Row = Mapping[str, float | None]


@dataclass(frozen=True)
class Tick:
    """``at``: along its axis; ``label``: as it is written."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """``path``, ``band``: SVG path data; ``band`` is empty where there is no interval."""

    name: str
    path: str
    band: str


@dataclass(frozen=True)
class Point:
    """A mark with the ends of its interval; ``title`` is read aloud."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class Chart:
    """``edge``: x0, y0, x1, y1 of the plotting area (y grows downwards)."""

    x: Sequence[Tick]
    y: Sequence[Tick]
    lines: Sequence[Line] = ()
    points: Sequence[Point] = ()
    marks: Sequence[float] = ()
    width: int = WIDTH
    height: int = HEIGHT
    edge: tuple[int, int, int, int] = (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)


def lift(curves: Mapping[str, Sequence[Row]]) -> Chart:
    """Share of the buyers found against share of the customers, each method a line."""
    ticks = [n / 5 for n in range(6)]
    return Chart(
        x=[Tick(_x(value), f"{value:.0%}") for value in ticks],
        y=[Tick(_y(value), f"{value:.0%}") for value in ticks],
        lines=[Line(name, _path(rows, "mean"), _band(rows)) for name, rows in curves.items()],
        marks=[_x(share) for share in MARKS],
    )


def calibration(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Observed against expected share of each bin, both logarithmic; None without rows."""
    if not rows:
        return None
    shares = [float(row[name]) for row in rows for name in ("expected", "observed") if row[name]]
    least = math.floor(math.log10(max(min(shares, default=0.1), LOWEST)) + 1e-9)
    decades = range(min(least, -1), 1)

    def along(value: float) -> float:
        lowest = decades[0]
        return (math.log10(max(value, 10.0**lowest)) - lowest) / -lowest

    return Chart(
        x=[Tick(_x(along(10.0**n)), _percent(10.0**n)) for n in decades],
        y=[Tick(_y(along(10.0**n)), _percent(10.0**n)) for n in decades],
        points=[
            Point(
                _x(along(row["expected"])),
                _y(along(row["observed"])),
                _y(along(row["low"])),
                _y(along(row["high"])),
                f"{_percent(row['expected'])} → {_percent(row['observed'])}",
            )
            for row in rows
        ],
    )


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _path(rows: Sequence[Row], name: str) -> str:
    points = [
        f"{_x(row['share'] or 0.0)} {_y(value)}" for row in rows if (value := row[name]) is not None
    ]
    return f"M{'L'.join(points)}" if len(points) > 1 else ""


def _band(rows: Sequence[Row]) -> str:
    upper, lower = _path(rows, "high"), _path(rows[::-1], "low")
    return f"{upper}L{lower[1:]}Z" if upper and lower else ""


def _percent(value: float) -> str:
    """Two significant digits."""
    return f"{100 * value:.2g}%" if value < 0.995 else f"{100 * value:.0f}%"
