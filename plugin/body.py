"""Reading a request's JSON body: the wrong type is 415, broken JSON 400, both before any schema."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Request, request
from flask_smorest import Blueprint
from gunicorn.http.errors import ParseException
from webargs.flaskparser import FlaskParser

from plugin.errors import CODES, fail


def json_body() -> Any:
    """The body of the current request as JSON. Answers 415 or 400 otherwise."""
    if not request.is_json:
        fail(415, *CODES[415])
    try:
        return orjson.loads(raw_body())
    except orjson.JSONDecodeError as error:
        fail(400, "invalid_json", f"The request body is not valid JSON: {error}.")


def raw_body() -> bytes:
    """The whole body of the current request. Answers 415, 413 or 400 for one that cannot be
    had."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        fail(415, *CODES[415])
    try:
        body = request.get_data(cache=True)
    except (OSError, ParseException):  # the client went away, or chunks that are none
        fail(400, "invalid_json", "The request body could not be read to its end.")
    # a body without a stated length is cut off at the limit, without an error
    if request.content_length is None and len(body) >= (
        request.max_content_length or len(body) + 1
    ):
        fail(413, *CODES[413])
    return body


class _Parser(FlaskParser):
    def load_json(self, req: Request, schema: Any) -> Any:
        return json_body()


class RouteBlueprint(Blueprint):
    """A flask-smorest blueprint with our body rules."""

    ARGUMENTS_PARSER = _Parser()
