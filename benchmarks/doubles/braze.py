"""Braze's ``/users/track`` at full speed: its limits, headers and answers, the state in memory.

The sandbox's double keeps its state in SQLite and takes about a hundred requests a second; this one
takes the thousand that Braze allows. A WSGI application for one process:

    RATE=3000 WINDOW_S=3 gunicorn --threads 8 benchmarks.doubles.braze:application

``GET /counts`` tells what it took, ``GET /digest`` a digest of all profiles that does not depend on
the order of requests.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from math import ceil
from typing import Any

import orjson

OBJECTS, BODY_BYTES = 75, 4_000_000
ID, EXISTING_ONLY = "external_id", "_update_existing_only"


class Braze:
    """``rate`` requests in windows of ``window_s`` that begin with their first request."""

    def __init__(self, rate: int, window_s: float) -> None:
        self._rate = rate
        self._window_s = window_s
        self._lock = threading.Lock()
        self._window_ends = 0.0
        self._left = rate
        self._profiles: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()

    def take(self) -> tuple[bool, int, float]:
        """(allowed, requests left, when the window ends)."""
        with self._lock:
            now = time.time()
            if now >= self._window_ends:
                self._window_ends, self._left = now + self._window_s, self._rate
            self.counts["requests"] += 1
            if self._left == 0:
                self.counts["refused"] += 1
                return False, 0, self._window_ends
            self._left -= 1
            return True, self._left, self._window_ends

    def track(self, body: bytes) -> tuple[str, dict[str, Any]]:
        """(status line, answer)."""
        try:
            objects = orjson.loads(body)["attributes"]
        except (ValueError, KeyError, TypeError):
            return "400 Bad Request", {"message": "The body is not valid JSON"}
        if len(body) > BODY_BYTES or not 0 < len(objects) <= OBJECTS:
            return "400 Bad Request", {"message": "Max input length exceeded"}
        points = 0
        profiles = self._profiles
        for each in objects:
            key = each.pop(ID)
            each.pop(EXISTING_ONLY, None)
            points += len(each)
            if key in profiles:
                state = orjson.loads(profiles[key])
                state.update(each)
                each = {name: value for name, value in state.items() if value is not None}
            profiles[key] = orjson.dumps(each, option=orjson.OPT_SORT_KEYS)
        with self._lock:
            self.counts["data_points"] += points
            self.counts["objects"] += len(objects)
        return "201 Created", {"message": "success", "attributes_processed": len(objects)}

    def digest(self) -> dict[str, Any]:
        held = {key: state for key, state in self._profiles.items() if state != b"{}"}
        return {"profiles": len(held), "digest": digest(held.items())}


def digest(profiles: Iterable[tuple[str, bytes]]) -> str:
    """Hexadecimal; the sum of the profiles' own digests, so that their order does not matter."""
    total = 0
    for key, state in profiles:
        own = hashlib.blake2b(state, digest_size=16, key=key.encode()[:64]).digest()
        total += int.from_bytes(own)
    return f"{total % 2**128:032x}"


braze = Braze(int(os.environ.get("RATE", "3000")), float(os.environ.get("WINDOW_S", "3")))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    headers = [("Content-Type", "application/json")]
    path = environ["PATH_INFO"]
    if path == "/users/track":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        allowed, left, ends = braze.take()
        status, answer = (
            braze.track(body)
            if allowed
            else ("429 Too Many Requests", {"message": "Rate limit exceeded"})
        )
        headers += [
            ("X-RateLimit-Limit", str(braze._rate)),
            ("X-RateLimit-Remaining", str(left)),
            ("X-RateLimit-Reset", str(ceil(ends))),
        ]
    elif path in ("/counts", "/digest"):
        status = "200 OK"
        answer = dict(braze.counts) if path == "/counts" else braze.digest()
    else:
        status, answer = "404 Not Found", {"message": "not found"}
    content = orjson.dumps(answer)
    start_response(status, [*headers, ("Content-Length", str(len(content)))])
    return [content]
