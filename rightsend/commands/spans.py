"""A span of time on the command line: 45m, 12h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

_SPAN = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MAX_DAYS = 3650


class Span(click.ParamType[timedelta]):
    """Minutes, hours or days, up to ten years."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        match = _SPAN.fullmatch(value)
        span = timedelta(**{_UNITS[match.group(2)]: int(match.group(1))}) if match else None
        if span is None or span > timedelta(days=MAX_DAYS):
            self.fail(f"found {value!r}, expected 45m, 12h, 7d or the like, at most 3650d")
        return span
