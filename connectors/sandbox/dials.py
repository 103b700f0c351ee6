"""Dials of a double: make it fail as real tools do.

``faults`` is a queue: each call takes the next fault that fits its path. ``chaos`` lets a share of
all calls fail by chance. The rest are switches.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from flask import Response, request

from connectors.tool import Window

STATUSES = {
    "bad_request": 400, "unauthorized": 401, "forbidden": 403, "gone": 410, "too_large": 413,
    "unsupported": 415, "locked": 423, "rate_limited": 429, "server_error": 500,
    "unavailable": 503, "hostile_text": 400,
}  # fmt: skip
BEFORE = frozenset(
    {*STATUSES, "timeout_before", "html_error", "html_before", "redirect"}
)  # nothing is applied
AFTER = frozenset(
    {"timeout_after", "html", "invalid_json", "reset", "drip", "other_message",
     "server_error_after", "huge", "nested", "array"}
)  # fmt: skip
INSTEAD = frozenset({"item_errors", "item_errors_unlocated"})  # of the items at ``items``
KINDS = BEFORE | AFTER | INSTEAD
PASSING = frozenset(
    {"rate_limited", "server_error", "unavailable", "locked", "html_error", "html_before",
     "server_error_after", "html", "invalid_json", "reset", "timeout_before", "timeout_after"}
)  # fmt: skip
HUGE_BYTES = 3_000_000
NESTING = 100_000

Refuse = Callable[[int, str], Response]


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
    """Switches of one double.

    ``blocked`` external ids are refused for good; ``locate_errors`` says which item was bad.
    ``rate_limit`` calls in ``rate_window_s`` seconds replace the tool's own windows; 0 leaves
    those. ``clock_skew_s`` puts the tool's Date and epoch Reset headers off. ``chaos`` is the
    share of calls that fail, by a kind of ``chaos_kinds`` drawn with ``chaos_seed``; a time-out
    among them hangs ``chaos_hang_s``.
    """

    blocked: frozenset[str] = frozenset()
    locate_errors: bool = True
    rate_limit: int = 0
    rate_window_s: float = 3.0
    reset_as_seconds: bool = False
    clock_skew_s: float = 0.0
    chaos: float = 0.0
    chaos_kinds: frozenset[str] = PASSING
    chaos_seed: int = 0
    chaos_hang_s: float = 1.0
    _faults: deque[Fault] = field(default_factory=deque)
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    _lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, fault: Fault, times: int) -> None:
        with self._lock:
            self._faults.extend([fault] * times)

    def clear(self) -> None:
        """Forget the faults that are still to come, and chaos."""
        with self._lock:
            self._faults.clear()
            self.chaos = 0.0

    def left(self) -> int:
        return len(self._faults)

    def take(self, path: str) -> Fault | None:
        """The fault for a call of ``path``, if any; one of the queue is used up."""
        with self._lock:
            for fault in self._faults:
                if path.startswith(fault.path):
                    self._faults.remove(fault)
                    return fault
            if self._chance.random() < self.chaos:
                kind = self._chance.choice(sorted(self.chaos_kinds))
                return Fault(kind, hang_s=self.chaos_hang_s)
        return None

    def windows(self, own: Sequence[Window]) -> Sequence[Window]:
        """Those to keep: the tool's own, unless the dial says otherwise."""
        return (Window(self.rate_limit, self.rate_window_s),) if self.rate_limit else own

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
            if name == "chaos_kinds" and not (value and value <= KINDS):
                raise ValueError(f"dial {name} takes some of {', '.join(sorted(KINDS))}")
            setattr(self, name, value)
        if "chaos_seed" in values:
            self._chance.seed(self.chaos_seed)

    def before(self, fault: Fault, refuse: Refuse) -> Response:
        """The answer of a fault that keeps the call from doing anything."""
        if fault.kind == "timeout_before":
            self.closing.wait(fault.hang_s)
        text = _hostile() if fault.kind == "hostile_text" else "the sandbox was told to fail"
        response = refuse(STATUSES.get(fault.kind, 500), text)
        if fault.kind in ("html_error", "html_before"):
            response = _page(502 if fault.kind == "html_error" else 200)
        if fault.kind == "redirect":
            response.status_code = 302
            response.headers["Location"] = f"{request.host_url}elsewhere"
        response.headers.update(fault.headers)
        return response

    def after(self, fault: Fault, response: Response, other_message: bytes) -> Response:
        """Spoil the answer to a call that was carried out."""
        if fault.kind == "timeout_after":
            self.closing.wait(fault.hang_s)
        elif fault.kind == "server_error_after":
            response.status_code = 500
        elif fault.kind == "html":
            response = _page(200)
        elif fault.kind in ("reset", "drip"):
            content = response.get_data() or b"{}"
            response.response = self._drip(content) if fault.kind == "drip" else [content[:1]]
            response.headers["Content-Length"] = str(len(content))
            if response.status_code == 204:  # has no content that could be cut
                response.status_code = 200
        else:
            response.set_data(_content(fault.kind, response, other_message))
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


def _content(kind: str, response: Response, other_message: bytes) -> bytes:
    if kind == "invalid_json":
        return response.get_data()[:-2] or b"{"
    if kind == "huge":
        return b'{"message":"' + b"x" * HUGE_BYTES + b'"}'
    if kind == "nested":
        return b"[" * NESTING + b"]" * NESTING
    return b'[["unasked"],{"errors":7}]' if kind == "array" else other_message


def _hostile() -> str:
    """What a tool must not get into our reports: the caller's own credentials, and characters
    that rule a terminal or forge a line."""
    headers = [value for name, value in request.headers if name not in ("Host", "User-Agent")]
    return "\x1b[2J\r\nERROR \u202e" + " ".join(headers) + request.get_data(as_text=True)[:1_000]


def _page(status: int) -> Response:
    page = "<html><body><h1>Maintenance</h1></body></html>"
    return Response(page, status=status, mimetype="text/html")
