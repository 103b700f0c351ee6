"""A campaign and a profile → one message, as the campaign's tool would have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from connectors.sandbox.dialects import Dialect, Person, dialects
from connectors.sandbox.fetching import Call, CallFailedError, Fetcher
from connectors.sandbox.jinja_languages import CatalogOf
from connectors.sandbox.language import BrokenError, SkippedError, Template, TemplateError
from connectors.sandbox.tags import CredentialOf

SUBJECT = "Subject:"
BRAZE = "braze"
State = Literal["sent", "aborted", "failed"]
Names = Mapping[str, Any]


@dataclass(frozen=True)
class Feed:
    """A call for content that is set up beside the template.

    ``url`` and the values of ``parameters`` may hold the tool's tags; parameters are escaped and
    put behind the address. ``credential``: name of the header and its value, by name.
    """

    name: str
    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    credential: str | None = None


@dataclass(frozen=True)
class Message:
    """``sent`` has a body; ``aborted`` (by the template) and ``failed`` have a reason."""

    state: State
    subject: str = ""
    body: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class Draft:
    """A template that was read, with the feed that it needs."""

    dialect: Dialect
    template: Template
    ask: Callable[[Names], dict[str, Any]]  # of a person's values: what each feed answers


class Renderer:
    """Thread-safe once made. ``catalog_of`` gives the item of an id where a tool has a catalog."""

    def __init__(
        self,
        fetcher: Fetcher,
        credential_of: CredentialOf,
        catalog_of: CatalogOf = lambda item_id: None,
    ) -> None:
        self._fetcher = fetcher
        self._credential_of = credential_of
        self._dialects = dialects(fetcher, credential_of, catalog_of)

    def parse(self, template: str, dialect: str = BRAZE, feed: Feed | None = None) -> Draft:
        """Raises TemplateError."""
        found = self._dialects.get(dialect)
        if found is None:
            known = ", ".join(self._dialects)
            raise TemplateError(f"dialect {dialect!r} is unknown; known are {known}")
        ask = self._asking(found, feed) if feed else _nothing
        return Draft(found, found.language.parse(template), ask)

    def render(
        self,
        draft: Draft,
        *,
        profile: Mapping[str, Any],
        campaign: Mapping[str, str],
        properties: Mapping[str, Any],
    ) -> Message:
        """One person's message. ``profile`` has ``external_id``, standard fields and
        ``custom_attributes``; ``properties`` come with an API-triggered send."""
        person = Person(
            profile["external_id"],
            {name: value for name, value in profile.items() if name != "custom_attributes"},
            profile.get("custom_attributes", {}),
            campaign,
            properties,
        )
        name_values = draft.dialect.values
        try:
            answers = draft.ask(name_values(person, {}))
            text = draft.template.render(name_values(person, answers))
        except SkippedError as error:
            return Message("aborted", reason=str(error))
        except BrokenError as error:
            return Message("failed", reason=str(error))
        subject, body = split_subject(text)
        if not body:
            return Message("failed", subject, reason="the rendered message is empty")
        return Message("sent", subject, body)

    def _asking(self, dialect: Dialect, feed: Feed) -> Callable[[Names], dict[str, Any]]:
        """Raises TemplateError when the feed's address cannot be read."""
        address = dialect.language.parse(feed.url)
        parameters = {name: dialect.language.parse(text) for name, text in feed.parameters.items()}

        def ask(values: Names) -> dict[str, Any]:
            url = address.render(values)
            rendered = {name: text.render(values) for name, text in parameters.items()}
            query = "&".join(f"{name}={quote(text, safe='')}" for name, text in rendered.items())
            call = Call(
                url=f"{url}?{query}" if query else url,
                headers=self._headers(dialect, feed),
                rules=dialect.rules,
            )
            try:
                answer = self._fetcher.fetch(call)
            except CallFailedError as error:
                raise SkippedError(f"feed {feed.name}: {error}") from error
            return {feed.name: answer if isinstance(answer, dict) else {}}

        return ask

    def _headers(self, dialect: Dialect, feed: Feed) -> dict[str, str]:
        if feed.credential is None or not dialect.rules.sends_key:
            return {}
        credential = self._credential_of(feed.credential)
        if credential is None:
            raise BrokenError(f"there is no credential named {feed.credential}")
        return dict([credential])


def split_subject(text: str) -> tuple[str, str]:
    """(subject, body): a first line ``Subject: …`` is the subject."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    if first.startswith(SUBJECT):
        return first.removeprefix(SUBJECT).strip(), rest.strip()
    return "", text


def _nothing(values: Names) -> dict[str, Any]:
    return {}
