"""Structured logs: one JSON line an event on stderr, each with the request's id.

Lines name the route's rule, never the address itself: addresses may hold customer ids, and headers
hold keys. What happens thousands of times a second is told a few times a second, with the number
of those left out (docs/monitoring.md).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from itertools import count
from typing import Any

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

REQUEST_ID = "X-Request-Id"
SLOW_S = 0.25  # a content call over this is told of
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/v1/content/", "/healthz", "/readyz", "/metrics")  # thousands a second, or probes
_OURS = "rightsend.request_id"  # in a WSGI environment

log = structlog.get_logger("plugin")
_request_id: ContextVar[str] = ContextVar("request_id", default="")
_process = os.urandom(10).hex()
_number = count(1)


class Sampler:
    """At most ``per_s`` a second of each sort; ``clock``: monotonic seconds."""

    def __init__(self, per_s: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[Any, ...], list[int]] = {}  # sort → second, told in it, left out

    def take(self, *sort: Any) -> int | None:
        """None when this one is left out, else how many were since the last one that was not.
        Sorts are few, and words of ours."""
        second = int(self._clock())
        with self._lock:
            seen = self._seen.setdefault(sort, [second, 0, 0])
            if seen[0] != second:
                seen[:2] = second, 0
            if seen[1] >= self._per_s:
                seen[2] += 1
                return None
            seen[1] += 1
            left_out, seen[2] = seen[2], 0
            return left_out


_lines = Sampler(20)
_troubles = Sampler(1)


def _trace(exc_info: Any) -> str:
    """Where it was raised and the types, without the messages: those may name a person."""
    told = []
    seen: list[BaseException] = []
    error = exc_info[1]
    while error is not None and error not in seen:
        seen.append(error)
        kind = type(error)
        lines = "".join(traceback.format_tb(error.__traceback__))
        told.append(f"{lines}{kind.__module__}.{kind.__qualname__}")
        error = error.__cause__ or error.__context__
    return "\nafter\n".join(told)


def configure(level: str) -> None:
    """JSON lines on stderr from ``level`` (debug, info, warning, error) up."""
    structlog.configure(
        processors=[
            _with_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.ExceptionRenderer(_trace),
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


def begin(environ: MutableMapping[str, Any]) -> str:
    """The id of a request: its own, if that can be logged and sent back, else a new one. Lines of
    this thread have it from now on."""
    found: str | None = environ.get(_OURS)
    if found is None:
        found = environ[_OURS] = _given_id(environ) or f"{_process}{next(_number):012x}"
    _request_id.set(found)
    return found


def end() -> None:
    """Lines of this thread belong to no request any more."""
    _request_id.set("")


def seldom(event: str, **fields: Any) -> None:
    """A warning, once a second at most in a process for each event (and ``reason``)."""
    left_out = _troubles.take(event, fields.get("reason"))
    if left_out is not None:
        tell = log.error if "exc_info" in fields else log.warning
        tell(event, **fields, left_out=left_out)


def malformed(status: int, problem: str) -> None:
    """What is no HTTP; a flood of it is sampled."""
    left_out = _lines.take("malformed", status)
    if left_out is not None:
        more = {"left_out": left_out} if left_out else {}
        log.info("malformed request", status=status, problem=problem, **more)


def fault(event: str, call: Any) -> None:
    """A fault of ours that a content call survived, with its trace. Metrics count them all."""
    seldom(event, kind=call.kind.name, exc_info=True)


def slow(seconds: float, **fields: Any) -> None:
    """Tells of a content call that took longer than SLOW_S."""
    seldom("slow", ms=round(seconds * 1000, 1), **fields)


def route() -> str:
    """The matched rule (``/v1/customers/<id>``), or ``unknown``."""
    return request.url_rule.rule if request.url_rule else "unknown"


def _given_id(environ: Mapping[str, Any]) -> str | None:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if given and _SAFE_ID.fullmatch(given) else None


def _with_request_id(_logger: Any, _method: str, line: Any) -> Any:
    found = _request_id.get()
    if found:
        line["request_id"] = found
    return line


def _begin() -> None:
    g.request_id = begin(request.environ)
    g.started = time.perf_counter()


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[REQUEST_ID] = g.request_id
    status = response.status_code
    if status < 400 and request.path.startswith(_QUIET):
        log.debug("request", **_fields(status))
        return response
    left_out = _lines.take(route(), status)
    if left_out is not None:
        more = {"left_out": left_out} if left_out else {}
        ours = status >= 500 and not request.path.startswith(
            _QUIET
        )  # a probe that says no is right
        (log.error if ours else log.info)("request", **_fields(status), **more)
    return response


def _fields(status: int) -> dict[str, Any]:
    return {
        "method": request.method,
        "route": route(),
        "status": status,
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "workspace": g.get("workspace_name"),
        "key": g.get("key_id"),
    }
