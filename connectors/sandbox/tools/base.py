"""Base of a tool's double.

A double is a module ``connectors/sandbox/tools/<tool>.py`` with a subclass of ``ToolDouble`` and a
line in ``TOOLS`` of this package. It answers under ``/tools/<tool>`` and takes part in everything
that doubles share: faults and chaos (connectors.sandbox.dials), rate windows and headers, the log
of calls, the admin API. What is left to write:

1. ``windows`` and ``rate_headers``: the tool's limits and spelling (``NO_RATE_HEADERS`` if none);
   ``other_message``: the 2xx body (bytes) of the tool that says something else than success.
2. ``routes()``: (method, path, view). A view reads ``self.json_body(most_bytes)``, refuses the
   whole call by ``raise RefusedCallError(status, text)``, and returns what Flask takes. It runs in
   one transaction: calls of several threads do not mix, and a refused call leaves no trace.
3. For each record ask ``self.problem(index, customer_id)``: a text when the record must be refused
   (blocked customer, told fault). ``self.tells_index`` says whether the answer may say which.
4. Keep state on ``self.shelf("profiles")`` (key → JSON object), and say in ``held``
   (unless it is that shelf as it stands) and ``members`` what the tool holds: the contract suite
   compares it with what is desired. Write customers by ``put`` once a record: it counts.
5. ``authorised()``: how the key travels; keys are compared by ``self.keys.accept``.
6. ``refused(status, text)``: an error in the tool's shape. Faults use it too.

A view that refuses what the tool refuses (sizes, counts, types, unknown lists) makes the double
worth having: the contract suite then sees that the connector keeps to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

import orjson
from flask import Blueprint, Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from connectors.sandbox.dials import Dials
from connectors.sandbox.gate import Gate, RateHeaders, spoiled_items, tells_index
from connectors.sandbox.keys import Keys
from connectors.sandbox.requests_log import RequestLog
from connectors.sandbox.storage import Storage
from connectors.tool import Window

View = Callable[..., ResponseReturnValue]
Route = tuple[str, str, View]


class RefusedCallError(Exception):
    """The whole call is refused, as the tool would: HTTP status and what the answer says."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


@dataclass(frozen=True)
class Bench:
    """What the sandbox lends to each double; ``now`` gives Unix time."""

    storage: Storage
    keys: Keys
    log: RequestLog
    now: Callable[[], float]


@dataclass(frozen=True)
class Shelf:
    """Key → JSON object, kept in the sandbox's file; ``counted`` puts are counted as writes."""

    bench: Bench
    name: str
    counted: bool = False

    def get(self, key: str) -> dict[str, Any] | None:
        row = self.bench.storage.row(
            "SELECT value FROM shelf WHERE name = ? AND key = ?", [self.name, key]
        )
        return None if row is None else orjson.loads(row["value"])

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        self.bench.storage.write(
            "INSERT OR REPLACE INTO shelf VALUES (?, ?, ?)",
            [self.name, key, orjson.dumps(value).decode()],
        )
        if self.counted:
            self.bench.log.count(writes=1)

    def merge(self, key: str, change: Mapping[str, Any]) -> None:
        """Set the names of ``change``; None removes one. A missing object is made."""
        values = {**(self.get(key) or {}), **change}
        self.put(key, {name: value for name, value in values.items() if value is not None})

    def remove(self, key: str) -> bool:
        """Whether it was there."""
        statement = "DELETE FROM shelf WHERE name = ? AND key = ?"
        return self.bench.storage.write(statement, [self.name, key]) > 0

    def all(self) -> dict[str, dict[str, Any]]:
        """Everything, by key."""
        rows = self.bench.storage.rows(
            "SELECT key, value FROM shelf WHERE name = ? ORDER BY key", [self.name]
        )
        return {row["key"]: orjson.loads(row["value"]) for row in rows}


class ToolDouble:
    """One tool; see the module's text for what a subclass says."""

    name: ClassVar[str]
    windows: ClassVar[Sequence[Window]] = ()
    rate_headers: ClassVar[RateHeaders] = RateHeaders()
    other_message: ClassVar[bytes] = b'{"message":"Internal processing problem"}'

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.keys = bench.keys
        self.now = bench.now
        self.dials = Dials()

    def routes(self) -> Sequence[Route]:
        """(method, path below ``/tools/<tool>``, view)."""
        raise NotImplementedError

    def authorised(self) -> bool:
        """Whether the call carries a key; as it stands, ``Authorization: Bearer KEY``."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.keys.accept(key.strip())

    def authorised_by_basic(self) -> bool:
        """Whether the call carries a key as the password of any user, for ``authorised``."""
        given = request.authorization
        return given is not None and given.type == "basic" and self.keys.accept(given.password)

    def refused(self, status: int, text: str) -> Response:
        """An error in the tool's shape."""
        return make_response(jsonify(message=text), status)

    def held(self) -> dict[str, dict[str, Any]]:
        """Customer id → attributes that the tool holds, without what stands for segments;
        customers without any may be left out. As it stands, the shelf ``profiles``."""
        return self.shelf("profiles").all()

    def members(self, segment_id: str) -> list[str]:
        """Customer ids in the segment that *we* call ``segment_id``, whatever the tool calls it."""
        return []

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        """Item id → fields, of one catalog."""
        return {}

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        """Messages of a triggered campaign: ``customer_id`` and ``properties``."""
        return []

    def shelf(self, name: str) -> Shelf:
        return Shelf(self.bench, f"{self.name}:{name}", counted=name == "profiles")

    def json_body(self, most_bytes: int) -> dict[str, Any]:
        """The JSON object of the call. Raises RefusedCallError: 413, 415 or 400."""
        if (request.content_length or 0) > most_bytes:
            raise RefusedCallError(413, f"The body is larger than {most_bytes} bytes")
        if request.mimetype not in ("application/json", "application/vnd.api+json"):
            raise RefusedCallError(415, "Content-Type must be application/json")
        try:
            body = orjson.loads(request.get_data(cache=True))
        except ValueError:
            raise RefusedCallError(400, "The body is not valid JSON") from None
        if not isinstance(body, dict):
            raise RefusedCallError(400, "The body must be a JSON object")
        return body

    def problem(self, index: int, customer_id: str) -> str | None:
        """Why this record of the call must be refused; None: take it."""
        if customer_id in self.dials.blocked:
            return "This customer is blacklisted and disallowed"
        return "the sandbox was told to refuse this item" if index in spoiled_items() else None

    @property
    def tells_index(self) -> bool:
        """Whether this call's answer says which record was refused (if the tool ever does)."""
        return tells_index(self.dials)

    def blueprint(self) -> Blueprint:
        """The routes behind the gate, for the sandbox app to mount."""
        prefix = f"/tools/{self.name}"
        blueprint = Blueprint(f"tool-{self.name}", __name__, url_prefix=prefix)
        for number, (method, path, view) in enumerate(self.routes()):
            endpoint = f"{view.__name__}-{number}"
            blueprint.add_url_rule(path, endpoint, self._answering(view), methods=[method])
        gate = Gate(
            self.dials, self.bench.log, self.now, self.refused, self.windows, self.rate_headers,
            self.other_message, prefix,
        )  # fmt: skip
        gate.guard(blueprint)
        return blueprint

    def _answering(self, view: View) -> View:
        @wraps(view)
        def answering(**values: Any) -> ResponseReturnValue:
            if not self.authorised():
                return self.refused(401, "The key is not valid")
            try:
                with self.bench.storage.transaction():
                    return view(**values)
            except RefusedCallError as error:
                return self.refused(error.status, error.text)

        return answering
