"""Calls for content that are set up beside a template: data feed, Content API, webhook action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.sandbox.dialects import Dialect
from connectors.sandbox.fetching import Call, CallFailedError, Fetcher
from connectors.sandbox.language import BrokenError, SkippedError
from connectors.sandbox.tags import CredentialOf


@dataclass(frozen=True)
class Feed:
    """``url`` and the values of ``parameters`` may hold the tool's tags; parameters are escaped and
    put behind the address. ``credential`` names a header and its value."""

    name: str
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    credential: str | None = None


class FeedReader:
    """A feed whose tags were read. Thread-safe."""

    def __init__(
        self, feed: Feed, dialect: Dialect, fetcher: Fetcher, credential_of: CredentialOf
    ) -> None:
        """Raises TemplateError when a tag cannot be read."""
        self._feed = feed
        self._rules = dialect.rules
        self._fetcher = fetcher
        self._credential_of = credential_of
        self._address = dialect.language.parse(feed.url)
        self._parameters = {
            name: dialect.language.parse(text) for name, text in feed.parameters.items()
        }

    def answers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The feed's name → its answer, {} when that was lost or no JSON object.

        ``values`` are the person's, in the tool's names. Raises BrokenError, or SkippedError when a
        lost answer means no message.
        """
        call = Call(url=self._url(values), headers=self._headers(), rules=self._rules)
        try:
            answer = self._fetcher.fetch(call)
        except CallFailedError as error:
            raise SkippedError(f"feed {self._feed.name}: {error}") from error
        return {self._feed.name: answer if isinstance(answer, dict) else {}}

    def _url(self, values: Mapping[str, Any]) -> str:
        address = self._address.render(values)
        shown = {name: text.render(values) for name, text in self._parameters.items()}
        query = "&".join(f"{name}={quote(text, safe='')}" for name, text in shown.items())
        return f"{address}?{query}" if query else address

    def _headers(self) -> dict[str, str]:
        name = self._feed.credential
        if name is None or not self._rules.sends_key:
            return {}
        credential = self._credential_of(name)
        if credential is None:
            raise BrokenError(f"there is no credential named {name}")
        return dict([credential])
