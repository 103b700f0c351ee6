"""What is answered before there is a request that the app could see: bytes that are no HTTP.

Same shape as every other error; nothing of what came is repeated.
"""

from __future__ import annotations

import orjson
from gunicorn.http import errors

from plugin.errors import CODES
from plugin.headers import SECURITY

TIMEOUT = 408
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.UnsupportedTransferCoding, 501),
    (errors.ExpectationFailed, 417),
    (errors.InvalidHTTPVersion, 505),
    (TimeoutError, TIMEOUT),
    (errors.ConfigurationProblem, 500),
    (errors.ParseException, 400),
)
_WORDS = {
    400: ("Bad Request", *CODES[400]),
    408: ("Request Timeout", "timeout", "The request did not arrive in time."),
    414: ("URI Too Long", *CODES[414]),
    417: ("Expectation Failed", "expectation_failed", "The only expectation met is 100-continue."),
    431: ("Request Header Fields Too Large", "too_large", "The headers are too large."),
    500: ("Internal Server Error", *CODES[500]),
    501: ("Not Implemented", "not_implemented", "The only transfer coding taken is chunked."),
    505: ("HTTP Version Not Supported", "unknown_version", "Send HTTP/1.1 or HTTP/1.0."),
}


def status_of(problem: BaseException) -> int:
    """The HTTP status for what a parser raised; 500 for what is nobody's fault but ours."""
    return next((status for found, status in _STATUS if isinstance(problem, found)), 500)


def refusal(status: int) -> bytes:
    """A whole answer, after which the connection is closed."""
    reason, code, message = _WORDS[status]
    body = orjson.dumps({"error": {"code": code, "message": message, "details": {}}})
    headers = (
        ("Connection", "close"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *SECURITY,
    )
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
