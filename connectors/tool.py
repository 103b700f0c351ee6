"""What a connector offers: the contract between delivery and a host tool.

A new tool is a folder with a ``Connector`` and a line in the registry. What a tool cannot do it
leaves as it is in ``Tool``; ``Connector.abilities`` says what it can, and the contract suite asks
each ability for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import marshmallow

from connectors.errors import Stop
from connectors.http import Client
from connectors.inbound import EventFiles, Webhook
from connectors.rate import UNKNOWN, Rate
from connectors.snippets import MakeSnippet
from settings.workspace import ConnectionSettings


class Ability(StrEnum):
    """What a connection can be asked to do."""

    ATTRIBUTES = "attributes"  # write user attributes
    SEGMENTS = "segments"  # keep the members of a segment
    CATALOG = "catalog"  # keep the items of a catalog
    IDENTITY = "identity"  # identify, merge and erase people
    TRIGGER = "trigger"  # start a campaign for some, each with their own properties
    AUDIENCE = "audience"  # say who is in a segment of the tool
    SEND_TIME = "send-time"  # pull content when a message is made (rightsend snippet)
    EVENTS_HTTP = "events over HTTP"  # tell what people did with messages, by webhook
    EVENTS_FILES = "event files"  # the same as files


@dataclass(frozen=True)
class Limits:
    """Of one request: records, bytes of the whole body, bytes of one record.

    ``envelope_bytes`` is what the body holds besides the records and the commas between them.
    """

    items: int
    body_bytes: int
    item_bytes: int
    envelope_bytes: int


@dataclass(frozen=True)
class Window:
    """At most ``requests`` in any ``seconds``; on ``clock`` the window begins with the clock's
    hour, minute or whatever ``seconds`` is, and not with the first request."""

    requests: int
    seconds: float
    clock: bool = False


@dataclass(frozen=True)
class Encoded:
    """One record, as it travels. Records of different lanes never share a request."""

    body: bytes
    lane: str = ""


@dataclass(frozen=True)
class Outcome:
    """An accepted request. ``rejected``: index of a refused record → reason.

    ``unlocated`` are reasons of records that were refused without saying which.
    """

    rejected: Mapping[int, str] = field(default_factory=dict)
    unlocated: tuple[str, ...] = ()
    rate: Rate = UNKNOWN

    @classmethod
    def refusing(
        cls, refused: Iterable[tuple[object, str]], count: int, rate: Rate = UNKNOWN
    ) -> Outcome:
        """``refused``: what the tool says is the index of a record, of ``count``, and the reason;
        what is no such index locates nobody."""
        rejected, unlocated = dict[int, str](), list[str]()
        for index, reason in refused:
            if type(index) is int and 0 <= index < count:
                rejected[index] = reason
            else:
                unlocated.append(reason)
        return cls(rejected, tuple(unlocated), rate)


class Target(Protocol):
    """Something that takes one small state a key: user attributes of a customer, membership of a
    segment, fields of a catalog item.

    Writing must be idempotent: delivery sends a change again when an answer was lost. ``write`` is
    called from several threads at a time.

    A target may have a method ``finish()``: called once a run, when all that is accepted was
    accepted, also when the run was stopped or failed, and before another run can begin. It may
    raise Retry and Stop; then the next run must do its work.
    """

    @property
    def limits(self) -> Limits:
        """Of one request."""

    @property
    def windows(self) -> Sequence[Window]:
        """How many requests the contract allows; what answers say may be less. Empty: unknown.

        A limit of requests at a time is not for here: the connector waits for its turn.
        """

    def addressable(self, key: str) -> bool:
        """Whether the tool can know this customer (or item) at all."""

    def encode(self, key: str, change: Mapping[str, Any]) -> Encoded:
        """One record; ``change`` maps a name to its new value, None removes it.

        Raises Reject when the tool would never take it.
        """

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request with 1 to ``limits.items`` records of a lane. Raises Retry, Split or Stop."""


@dataclass(frozen=True)
class Recipient:
    """Of a triggered campaign. ``properties`` are the message's own."""

    customer_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class Tool:
    """An open connection to a host tool. An ability that it lacks raises Stop."""

    def check(self) -> None:
        """Make one harmless call that needs the key. Raises Retry or Stop."""
        raise NotImplementedError

    def wait_by(self, wait: Callable[[float], None]) -> None:
        """Wait by ``wait`` (seconds) for what the tool does after it has answered; it raises when
        somebody asked to stop. A tool that is never waited for has nothing to do."""

    def close(self) -> None:
        """Give connections back."""

    def attributes(self) -> Target:
        """Where user attributes go."""
        raise Stop(_cannot(Ability.ATTRIBUTES))

    def segment(self, segment_id: str) -> Target:
        """Where members of one segment go (change ``{"member": True}`` or ``{"member": None}``).

        Raises Stop when the connection is not configured for it.
        """
        raise Stop(_cannot(Ability.SEGMENTS))

    def declare_segment(self, segment_id: str, name: str) -> None:
        """Create the segment in the tool, or give it its new name. Raises Retry or Stop."""
        raise Stop(_cannot(Ability.SEGMENTS))

    def catalog(self, name: str) -> Target:
        """Where items of one catalog go; the key is the item id. A change is ``{"item": fields}``,
        always the whole item, as replacing is what a tool can repeat; ``{"item": None}`` removes
        it."""
        raise Stop(_cannot(Ability.CATALOG))

    def declare_catalog(self, name: str, fields: Mapping[str, str]) -> None:
        """Create the catalog with its fields (name → string, number, boolean, time), or add what
        is missing. Raises Retry or Stop."""
        raise Stop(_cannot(Ability.CATALOG))

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        """(identifier kind, identifier, customer id): from now on these are one person.

        Idempotent. Raises Retry, Split or Stop.
        """
        raise Stop(_cannot(Ability.IDENTITY))

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        """(gone customer id, staying customer id). Idempotent. Raises Retry, and Split or Stop
        when somebody was refused, also inside an answer that accepts the others."""
        raise Stop(_cannot(Ability.IDENTITY))

    def erase(self, customer_ids: Sequence[str]) -> None:
        """Delete these people in the tool; who is not there is fine. Raises like ``merge``."""
        raise Stop(_cannot(Ability.IDENTITY))

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        """Send one request of a campaign. Not idempotent: never sent again when the answer was
        lost (Lost is raised). ``most_recipients`` fit in one. The outcome says who was refused
        while others got it. Raises Retry when it surely was not carried out, Split when nobody got
        it because of somebody, Lost or Stop."""
        raise Stop(_cannot(Ability.TRIGGER))

    most_recipients = 50

    def audience(self, segment_id: str) -> Iterator[str]:
        """Customer ids of those in a segment of the tool. Raises Retry or Stop."""
        raise Stop(_cannot(Ability.AUDIENCE))


@dataclass(frozen=True)
class HttpTool(Tool):
    """A tool that is spoken to through one client."""

    client: Client

    def close(self) -> None:
        self.client.close()


def _cannot(ability: Ability) -> str:
    return f"this connection has no {ability.value}"


@dataclass(frozen=True)
class Connector:
    """A line of the registry: how a kind of connection is described, checked and opened.

    ``limits`` are for people: what is limited → how (docs/connectors.md is made of them).
    """

    title: str
    options: type[marshmallow.Schema]
    open: Callable[[ConnectionSettings], Tool]
    abilities: frozenset[Ability]
    limits: Mapping[str, str] = field(default_factory=dict)
    snippet: MakeSnippet | None = None
    webhook: Webhook | None = None
    event_files: EventFiles | None = None


def abilities(*names: Ability) -> frozenset[Ability]:
    return frozenset(names)


def in_batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most ``size``, in order."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
