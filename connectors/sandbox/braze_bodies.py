"""What the Braze double reads of every request."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request

from connectors.sandbox.keys import refused

BODY_BYTES = 4_000_000
IDS = 50  # external ids, aliases, recipients or items a request
LARGEST_CALL = 2 * BODY_BYTES  # a larger body is not even read


def read_body() -> dict[str, Any] | Response:
    """The JSON object of the request, or the answer that refuses it."""
    if (request.content_length or 0) > BODY_BYTES:
        return refused(413, "Request entity is larger than 4 MB")
    if request.mimetype != "application/json":
        return refused(415, "Content-Type must be application/json")
    try:
        body = orjson.loads(request.get_data(cache=False))
    except ValueError:
        return refused(400, "The body is not valid JSON")
    return body if isinstance(body, dict) else refused(400, "The body must be a JSON object")


def strings(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else []
    return [text for text in listed if isinstance(text, str) and text]


def objects(value: Any, most: int = IDS) -> list[dict[str, Any]] | None:
    """The JSON objects of an array of 1 to ``most``; None for anything else."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        return None
    return value if all(isinstance(entry, dict) for entry in value) else None
