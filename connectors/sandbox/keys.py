"""Who may call the sandbox: holders of a key, by a host name of this machine."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Response, jsonify, request

View = Callable[..., Any]


class Keys:
    """The keys that were given to ``create_app``."""

    def __init__(self, keys: Collection[str]) -> None:
        """Raises ValueError without a key, or for an empty one."""
        if not keys or not all(keys):
            raise ValueError("the sandbox needs at least one API key, and none may be empty")
        self._keys = [key.encode() for key in keys]

    def accept(self, key: object) -> bool:
        given = key.encode(errors="replace") if isinstance(key, str) else b""
        return any(hmac.compare_digest(given, known) for known in self._keys)

    def needed(self, view: View) -> View:
        """A view that answers 401 in Braze's words without ``Authorization: Bearer KEY``."""

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not self.accept(key.strip()):
                return refused(401, f"Invalid API key: {'none' if not key else 'unknown'}")
            return view(*args, **kwargs)

        return guarded


def refused(status: int, message: str, errors: list[Any] | None = None) -> Response:
    """An error in Braze's shape: prose without a code."""
    response = jsonify({"message": message, **({"errors": errors} if errors else {})})
    response.status_code = status
    return response
