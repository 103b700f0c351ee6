"""How the words of a host tool become events: what the plugin asks of a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Headers = Mapping[str, str]  # names in lower case
Options = Mapping[str, Any]  # of the connection


class BadDocumentError(Exception):
    """The body is nothing that this tool sends; the text says what was expected."""


class Told(Protocol):
    """What one request told: canonical ``events``; ``unknown``: how many there are of each word
    of the tool that has no event type; ``malformed``: how many lack what an event needs."""

    @property
    def events(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def unknown(self) -> Mapping[str, int]: ...
    @property
    def malformed(self) -> int: ...


@dataclass(frozen=True)
class Translator:
    """One type of connection. ``verify``: does the request carry the tool's own token or
    signature, as the connection's options have it. ``read`` raises BadDocumentError."""

    verify: Callable[[bytes, Headers, Options], bool]
    read: Callable[[bytes, Headers, Options], Told]
