"""Headers that every answer has."""

from __future__ import annotations

from werkzeug.wrappers import Response

SECURITY = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
)


def secure(response: Response) -> Response:
    """The same, with those of them that it does not set itself."""
    for name, value in SECURITY:
        response.headers.setdefault(name, value)
    return response
