"""Dials of the sandbox: make it fail as real tools do.

``faults`` is a queue: each call of the Braze API takes the next fault that fits its path. The
rest are switches.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from flask import Response, jsonify

STATUSES = {
    "unauthorized": 401, "forbidden": 403, "gone": 410, "too_large": 413, "unsupported": 415,
    "locked": 423, "rate_limited": 429, "server_error": 500, "unavailable": 503,
}  # fmt: skip
BEFORE = frozenset({*STATUSES, "timeout_before", "html_error", "redirect"})  # nothing is applied
AFTER = frozenset(
    {"timeout_after", "html", "invalid_json", "reset", "drip", "other_message",
     "server_error_after"}
)  # fmt: skip
INSTEAD = frozenset({"item_errors", "item_errors_unlocated"})  # of the items at ``items``
KINDS = BEFORE | AFTER | INSTEAD


@dataclass(frozen=True)
class Fault:
    """One failing answer. ``headers`` are added to it; ``hang_s`` is how long a time-out hangs."""

    kind: str
    path: str = "/"  # calls whose path starts with it
    headers: dict[str, str] = field(default_factory=dict)
    items: tuple[int, ...] = (0,)
    hang_s: float = 5.0


@dataclass
class Dials:
    """``blocked`` external ids are refused for good; ``locate_errors`` says which item was bad."""

    blocked: frozenset[str] = frozenset()
    locate_errors: bool = True
    rate_limit: int = 3_000
    rate_window_s: float = 3.0
    reset_as_seconds: bool = False
    _faults: deque[Fault] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, fault: Fault, times: int) -> None:
        with self._lock:
            self._faults.extend([fault] * times)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def left(self) -> int:
        return len(self._faults)

    def take(self, path: str) -> Fault | None:
        """The next fault for a call of ``path``; it is used up."""
        with self._lock:
            for fault in self._faults:
                if path.startswith(fault.path):
                    self._faults.remove(fault)
                    return fault
        return None

    def turn(self, values: dict[str, Any]) -> None:
        """Set switches by name. Raises ValueError for an unknown or ill-typed one."""
        switches = {f.name: f for f in fields(self) if not f.name.startswith("_")}
        del switches["closing"]
        for name, value in values.items():
            if name not in switches:
                raise ValueError(f"there is no dial {name}; there are {', '.join(switches)}")
            kind = type(getattr(self, name))
            if kind is frozenset and isinstance(value, list):
                value = frozenset(value)
            elif kind is float and isinstance(value, int):
                value = float(value)
            if type(value) is not kind:
                raise ValueError(f"dial {name} takes a {kind.__name__}")
            setattr(self, name, value)

    def before(self, fault: Fault) -> Response:
        """The answer of a fault that keeps the call from doing anything."""
        if fault.kind == "timeout_before":
            self.closing.wait(fault.hang_s)
        response = jsonify(message="the sandbox was told to fail")
        response.status_code = STATUSES.get(fault.kind, 500)
        if fault.kind == "html_error":
            response = _page(502)
        if fault.kind == "redirect":
            response.status_code = 302
            response.headers["Location"] = "http://127.0.0.1:9/elsewhere"
        response.headers.update(fault.headers)
        return response

    def after(self, fault: Fault, response: Response) -> Response:
        """Spoil the answer to a call that was carried out."""
        if fault.kind == "timeout_after":
            self.closing.wait(fault.hang_s)
        elif fault.kind == "server_error_after":
            response.status_code = 500
        elif fault.kind == "html":
            response = _page(200)
        elif fault.kind == "invalid_json":
            response.set_data(response.get_data()[:-2])
        elif fault.kind == "other_message":
            response.set_data(b'{"message":"Internal processing problem"}')
        elif fault.kind in ("reset", "drip"):
            content = response.get_data()
            response.response = self._drip(content) if fault.kind == "drip" else [content[:5]]
            response.headers["Content-Length"] = str(len(content))
        response.headers.update(fault.headers)
        return response

    def _drip(self, content: bytes) -> Iterator[bytes]:
        for byte in content:
            self.closing.wait(0.05)
            yield bytes([byte])


def read_faults(body: Any) -> list[tuple[Fault, int]]:
    """(fault, times) from the admin API's JSON. Raises ValueError naming what is wrong."""
    if not isinstance(body, list):
        raise ValueError("faults are a list of objects")
    faults = []
    for entry in body:
        if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
            raise ValueError(f"a fault has a kind out of {', '.join(sorted(KINDS))}")
        values = {**entry, "items": tuple(entry.get("items", (0,)))}
        times = values.pop("times", 1)
        try:
            faults.append((Fault(**values), int(times)))
        except TypeError:
            known = ", ".join(f.name for f in fields(Fault))
            raise ValueError(f"a fault has no other keys than times, {known}") from None
    return faults


def _page(status: int) -> Response:
    page = "<html><body><h1>Maintenance</h1></body></html>"
    return Response(page, status=status, mimetype="text/html")
