"""How long an id may be that comes from outside."""

from __future__ import annotations

import marshmallow as ma

from plugin.errors import CODES, fail

MAX_ID_BYTES = 988  # no host tool takes a longer customer id (Braze: up to 987)


def short(value: str) -> None:
    """A field's validator. Raises ValidationError for a text over MAX_ID_BYTES in UTF-8."""
    if len(value.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
        raise ma.ValidationError(f"Must be at most {MAX_ID_BYTES} bytes in UTF-8.")


def require_short(parameter: str, value: str) -> None:
    """Answers 422 for a path parameter that is too long."""
    try:
        short(value)
    except ma.ValidationError as error:
        fail(422, *CODES[422], details={parameter: error.messages})
