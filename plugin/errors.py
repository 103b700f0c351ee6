"""One error shape for every route: ``{"error": {"code", "message", "details"}}``.

``code`` is stable and for programs; ``message`` says in a sentence what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

CODES = {
    400: ("bad_request", "The request cannot be read."),
    401: (
        "unauthorized",
        "Send a key: basic auth, 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'.",
    ),
    403: ("forbidden", "This key may not do that."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    409: ("conflict", "Not possible in the present state."),
    413: ("too_large", "The request body is too large."),
    414: ("too_large", "The address is too long."),
    415: ("unsupported_media_type", "Send JSON with the header 'Content-Type: application/json'."),
    422: ("invalid_parameters", "Some parameters are not valid; details names them."),
    429: ("rate_limited", "Too many calls with this key; come again after Retry-After seconds."),
    500: ("internal_error", "Something went wrong here; the log has it under this request id."),
    503: ("unavailable", "Not possible just now; try again."),
}


class ErrorBodySchema(ma.Schema):
    code = ma.fields.String(
        required=True, metadata={"description": "Stable word for programs", "example": "not_found"}
    )
    message = ma.fields.String(required=True, metadata={"description": "One sentence for people"})
    details = ma.fields.Dict(
        required=True, metadata={"description": "By parameter: what is wrong with it"}
    )


class ErrorSchema(ma.Schema):
    error = ma.fields.Nested(ErrorBodySchema, required=True)


class ApiError(HTTPException):
    """An answer that is an error; raised by ``fail``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(message)
        self.code = status
        self.word = code
        self.details = dict(details)
        self.headers = dict(headers)


def fail(
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> NoReturn:
    """Stop the request with this error."""
    raise ApiError(status, code, message, details or {}, headers or {})


def store_unavailable(retry_after_s: int = 1) -> ApiError:
    """503: the store is away and the caller should come again."""
    return ApiError(
        503,
        "store_unavailable",
        "The store does not answer just now; try again.",
        {},
        {"Retry-After": str(retry_after_s)},
    )


def no_snapshot(retry_after_s: int = 60) -> ApiError:
    """503: nothing was published yet."""
    return ApiError(
        503,
        "no_snapshot",
        "No snapshot is published yet: run the nightly job first.",
        {},
        {"Retry-After": str(retry_after_s)},
    )


class ErrorHandlerMixin:
    """Replaces flask-smorest's handler: own shape, and headers such as Allow are kept."""

    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        code, message = CODES.get(status, (_word(error.name), error.description or error.name))
        details: Mapping[str, Any] = {}
        if isinstance(error, ApiError):
            code, message, details = error.word, str(error.description), error.details
        data = getattr(error, "data", None) or {}  # set by webargs
        if "messages" in data:
            code, message, details = _of_webargs(status, code, message, data["messages"])
        response = jsonify({"error": {"code": code, "message": message, "details": details}})
        response.status_code = status
        for name, value in _headers(error, data):
            response.headers[name] = value
        return response


def _of_webargs(
    status: int, code: str, message: str, messages: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, Any]]:
    """webargs says {"query": {"limit": [...]}} or {"json": ["Invalid JSON body."]}."""
    location, wrong = next(iter(messages.items()))
    if status == 400:
        return "invalid_json", "The request body is not valid JSON.", {}
    if isinstance(wrong, Mapping):
        return code, message, {str(name): found for name, found in wrong.items()}
    return code, message, {location: wrong}


def _headers(error: HTTPException, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Allow, Retry-After, WWW-Authenticate and the like: werkzeug's own plus those given by us."""
    own = [(n, v) for n, v in error.get_headers() if n.lower() != "content-type"]
    given = list(error.headers.items()) if isinstance(error, ApiError) else []
    return own + given + list((data.get("headers") or {}).items())


def _word(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
