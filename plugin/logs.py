"""Structured logs: one JSON line an event on stderr, each with the request's id.

Lines name the route's rule, never the address itself: addresses may hold customer ids, and headers
hold keys.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

REQUEST_ID = "X-Request-Id"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/v1/content/", "/healthz", "/readyz", "/metrics")  # thousands a second, or probes

log = structlog.get_logger("plugin")


def configure(level: str) -> None:
    """JSON lines on stderr from ``level`` (debug, info, warning, error) up."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        # looked up a line, not once: a test or a supervisor may replace stderr
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def install(app: Flask) -> None:
    """Give each request an id, and write one line when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)


def given_id(environ: Mapping[str, Any]) -> str | None:
    """The request's own id, if it is one that can be logged and sent back."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if given and _SAFE_ID.fullmatch(given) else None


def _begin() -> None:
    g.request_id = given_id(request.environ) or uuid.uuid4().hex
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[REQUEST_ID] = g.request_id
    fields: dict[str, Any] = {
        "method": request.method,
        "route": route(),
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "workspace": g.get("workspace_name"),
        "key": g.get("key_id"),
    }
    if response.status_code >= 500:
        log.error("request", **fields)
    elif response.status_code < 400 and request.path.startswith(_QUIET):
        log.debug("request", **fields)
    else:
        log.info("request", **fields)
    return response


def route() -> str:
    """The matched rule (``/v1/customers/<id>``), or ``unknown``."""
    return request.url_rule.rule if request.url_rule else "unknown"


_last_fault = [0.0]


def fault(event: str, call: Any) -> None:
    """A fault of ours that a content call survived, with its trace: one a second, or the log of a
    campaign would be nothing else. Metrics count them all."""
    now = time.monotonic()
    if now - _last_fault[0] >= 1.0:
        _last_fault[0] = now
        log.exception(event, kind=call.kind.name)
