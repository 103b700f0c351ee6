"""The requests of a tool, as its configuration describes them.

docs/generic-connector.md explains every key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from connectors.generic import template
from connectors.tool import Window

Problems = Iterator[tuple[str, str]]  # key → what is wrong with it
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Success:
    """One of ``statuses`` and, with ``field``, one of ``values`` at that JSON pointer; the first of
    ``reasons`` that an answer has points at what the tool says otherwise."""

    statuses: tuple[int, ...] = (200, 201, 202, 204)
    field: str | None = None
    values: tuple[Any, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemErrors:
    """Where an answer lists refused records: JSON pointers, ``entries`` from the answer's top, the
    others from an entry. ``index`` counts from 0, ``id`` is the customer id; with neither, nobody
    knows which record it was."""

    entries: str
    index: str | None = None
    id: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Call:
    """A request without records."""

    path: str
    method: str = "POST"
    body: Any = field(default=None, repr=False)  # some tools take their keys there
    success: Success = Success()

    def problems(self, shared: frozenset[str]) -> Problems:
        """Placeholders that are none of ``shared``, those of the request as a whole."""
        yield from (("path", text) for text in template.path_problems(self.path, shared))
        yield from (("body", text) for text in template.problems(self.body, shared))


@dataclass(frozen=True)
class BatchLimits:
    """Of one request. ``id_bytes`` is how long a customer id may be."""

    items: int
    body_bytes: int = 1_000_000
    item_bytes: int = 100_000
    id_bytes: int = 1_000


@dataclass(frozen=True)
class Batch(Call):
    """A request with a ``record`` for each customer: $records in the body, or the one $record."""

    of_record: ClassVar[frozenset[str]] = NOTHING

    record: Any = None
    limits: BatchLimits = BatchLimits(items=1)
    windows: tuple[Window, ...] = ()
    errors: tuple[ItemErrors, ...] = ()

    def problems(self, shared: frozenset[str]) -> Problems:
        alone = self.limits.items == 1
        of_path = shared | ({"customer_id"} if alone else NOTHING)
        of_body = of_path | {"records"} | ({"record"} if alone else NOTHING)
        of_record = shared | {"customer_id"} | self.of_record
        yield from (("path", text) for text in template.path_problems(self.path, of_path))
        yield from (("body", text) for text in template.problems(self.body, of_body))
        yield from (("record", text) for text in template.problems(self.record, of_record))
        if not alone and not template.uses(self.body, "records"):
            yield "body", "$records must stand in it, where the list of records belongs"
        for name in sorted(self.of_record):
            if not template.uses(self.record, name):
                yield "record", f"${name} must stand in it"


@dataclass(frozen=True)
class AttributesRequest(Batch):
    """$attributes is a mapping of names to ``set``, or a list with a ``set`` each; for a removed
    attribute there is a ``remove`` instead. ``join`` makes one text of an array."""

    of_record: ClassVar[frozenset[str]] = frozenset({"attributes"})

    shape: str = "mapping"
    set: Any = "$value"
    remove: Any = None
    join: str | None = None

    def problems(self, shared: frozenset[str]) -> Problems:
        yield from super().problems(shared)
        name = frozenset({"name"})
        for key, own, allowed in (
            ("set", self.set, name | {"value"}),
            ("remove", self.remove, name),
        ):
            yield from ((key, text) for text in template.problems(own, allowed))


@dataclass(frozen=True)
class QuietHours:
    """No message from ``start`` until ``end``, but to those whose property ``consent`` is true
    (None: to nobody)."""

    start: time
    end: time
    timezone: ZoneInfo
    consent: str | None = None


@dataclass(frozen=True)
class TriggerRequest(Batch):
    """``ad_text`` is the property with the message, which has to begin with ``ad_label``."""

    of_record: ClassVar[frozenset[str]] = frozenset({"properties"})

    quiet_hours: QuietHours | None = None
    ad_text: str | None = None
    ad_label: str = "(광고)"


@dataclass(frozen=True)
class MergeRequest(Batch):
    """$gone_id is from now on the person $customer_id."""

    of_record: ClassVar[frozenset[str]] = frozenset({"gone_id"})


@dataclass(frozen=True)
class SegmentRequests:
    """Members come by ``add`` and leave by ``remove``; ``declare`` creates or renames."""

    add: Batch
    remove: Batch
    declare: Call | None = None


@dataclass(frozen=True)
class Requests:
    """What the tool can be asked; None: it cannot."""

    attributes: AttributesRequest | None = None
    segment: SegmentRequests | None = None
    trigger: TriggerRequest | None = None
    erase: Batch | None = None
    merge: MergeRequest | None = None
    check: Call | None = None
