"""JSON in and out by orjson: strict (no NaN, no lone surrogates) and fast."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, option=_OPTIONS).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return answer(self._prepare_response_obj(args, kwargs))


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer; ``document`` is an object, never a list."""
    return Response(
        orjson.dumps(document, option=_OPTIONS) + b"\n", status, mimetype="application/json"
    )
