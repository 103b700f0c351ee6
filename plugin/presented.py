"""The key that a request presents: in X-Api-Key, as bearer, or in basic auth."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any


def presented(environ: Mapping[str, Any]) -> str:
    """The text of the key in a WSGI environment, empty if there is none. In basic auth it is the
    password, or the user name."""
    given: str = environ.get("HTTP_X_API_KEY", "")
    if given:
        return given.strip()
    scheme, _, rest = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return user if user.startswith("rs_") and not password.startswith("rs_") else password or user
