"""Building blocks of the schemas: strict fields whose messages say what is expected.

Each field carries ``metadata`` with a description and an example (docs/configuration.md is made
from it); ``secret`` marks a value that no message may show. Defaults stand once, in the
dataclasses of settings.workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from apscheduler.triggers.cron import CronTrigger
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, Range, Regexp

from settings.problems import Complaint, one_of, unknown_key

LAST_YEAR = 2500  # beyond it the calendar ends before a horizon does
NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,39}"


def about(description: str, example: Any = None, *, secret: bool = False) -> dict[str, Any]:
    """The metadata of a field."""
    return {"description": description, "example": example, "secret": secret}


def between(low: float, high: float) -> Range:
    """A closed range."""
    return Range(min=low, max=high, error=f"a number from {low:g} to {high:g}")


def filled(most: int = 1000) -> Length:
    """Text that is not empty."""
    return Length(min=1, max=most, error=f"text of 1 to {most} characters")


class Strict(Schema):
    """A section: unknown keys are errors with a suggestion; the result is a ``target``."""

    target: ClassVar[type]

    class Meta:
        unknown = EXCLUDE  # refused below, with a better message

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown_keys(self, data: Any, original: Any, **_: Any) -> None:
        if isinstance(original, Mapping):
            errors = unknown_keys(original, self.fields)
            if errors:
                raise ValidationError(errors)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Lists become tuples: settings are frozen."""
        return self.target(
            **{
                key: tuple(value) if isinstance(value, list) else value
                for key, value in data.items()
            }
        )


def unknown_keys(given: Iterable[str], known: Iterable[str]) -> dict[str, list[Complaint]]:
    """A complaint for each key in ``given`` that is not in ``known``."""
    names = set(known)
    return {key: [unknown_key(key, names)] for key in given if key not in names}


class WholeNumber(fields.Integer):
    """An integer, also as digits in text (from ``${…}``); 1.5 and true are refused."""

    def _validated(self, value: Any) -> int:
        digits = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,18}", value)
        if isinstance(value, bool) or not (digits or isinstance(value, int)):
            raise ValidationError("a whole number")
        return int(value)


class Number(fields.Float):
    """A finite number."""

    def _validated(self, value: Any) -> float:
        try:
            return super()._validated(value)
        except ValidationError:
            raise ValidationError("a finite number") from None


class Text(fields.String):
    """Text; a number has to be put in quotes, so that nothing is guessed."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("text (a number in quotes)")
        return value


class Channel(Text):
    """A channel's name in lower case, as names of channels are compared."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, *args, **kwargs).lower()


class Flag(fields.Boolean):
    """true or false, also as text (from ``${…}``)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise ValidationError("true or false")


class Scalar(fields.Field[Any]):
    """Text, a number, true or false."""

    kind = "text, number, true or false"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, str | int | float | bool):
            raise ValidationError("text, a number, true or false")
        return value


class Moment(fields.Field[datetime]):
    """An ISO 8601 time with its zone, from 1970 to LAST_YEAR; becomes UTC."""

    kind = "time"
    expected = "a time with its zone, such as 2017-12-04T00:00:00Z"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValidationError(f"{self.expected} (add Z for UTC)")
            if not 1970 <= moment.year <= LAST_YEAR:
                raise ValidationError(f"{self.expected}, from 1970 to {LAST_YEAR}")
            return moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise ValidationError(self.expected) from None


class Cron(Text):
    """Five cron fields, never meant to stand still; days of the week by name."""

    kind = "cron expression"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        parts = text.split()
        if len(parts) == 5 and re.search(r"[0-9]", parts[4].partition("/")[0]):
            # 0 is Sunday for cron and Monday for APScheduler
            raise ValidationError("days of the week by name (mon,tue,…,sun), for 0 is ambiguous")
        try:
            trigger = CronTrigger.from_crontab(text, timezone=UTC)
            fires = trigger.get_next_fire_time(None, datetime(2000, 1, 1, tzinfo=UTC))
        except (ValueError, TypeError, OverflowError):
            raise ValidationError('a cron expression such as "0 3 * * *"') from None
        if fires is None:
            raise ValidationError("a cron expression that comes true some day")
        return text


@cache
def zones() -> frozenset[str]:
    """Every IANA name that this machine knows."""
    return frozenset(available_timezones())


class Zone(Text):
    """An IANA time zone."""

    kind = "IANA time zone"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        if text not in zones():
            suggestion = one_of(zones(), text).rpartition("(did you mean ")[2]
            hint = f" (did you mean {suggestion}" if suggestion.endswith("?)") else ""
            raise ValidationError(f"an IANA time zone such as Asia/Seoul{hint}")
        return text


class Mapped(fields.Field[dict[str, Any]]):
    """A mapping of free keys to ``inner``; errors stand under the key itself."""

    kind = "mapping"

    def __init__(self, inner: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        self.inner._bind_to_schema(field_name, self)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("a mapping of keys")
        result, errors = {}, {}
        for key, each in value.items():
            try:
                result[key] = self.inner.deserialize(each, key, value)
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors, valid_data=result)
        return result


COLOR = Regexp(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z", error='a colour such as "#0b5cd5"')
WORKSPACE_NAME = Regexp(
    rf"{NAME_PATTERN}\Z", error="a name of a-z, 0-9, _ and -, at most 40, not beginning with _ or -"
)
ENTRY_NAME = Regexp(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\Z", error="a name of A-Z, a-z, 0-9, _ and -, at most 80"
)
WEB_URL = Regexp(r"https?://[^\s/?#@]+(/[^\s?#]*)?\Z", error="an http:// or https:// address")
