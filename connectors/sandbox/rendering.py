"""A campaign and a profile → one message, as the campaign's tool would have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.sandbox.dialects import Dialect, Person, dialects
from connectors.sandbox.feeds import Feed, FeedReader
from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.jinja_languages import CatalogOf
from connectors.sandbox.language import BrokenError, SkippedError, Template, TemplateError
from connectors.sandbox.tags import CredentialOf

SUBJECT = "Subject:"
DEFAULT_DIALECT = "braze"
State = Literal["sent", "aborted", "failed"]


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
    feed: FeedReader | None


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

    def parse(
        self, template: str, dialect: str = DEFAULT_DIALECT, feed: Feed | None = None
    ) -> Draft:
        """Raises TemplateError."""
        found = self._dialects.get(dialect)
        if found is None:
            known = ", ".join(self._dialects)
            raise TemplateError(f"dialect {dialect!r} is unknown; known are {known}")
        reader = FeedReader(feed, found, self._fetcher, self._credential_of) if feed else None
        return Draft(found, found.language.parse(template), reader)

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
            answers = draft.feed.answers(name_values(person, {})) if draft.feed else {}
            text = draft.template.render(name_values(person, answers))
        except SkippedError as error:
            return Message("aborted", reason=str(error))
        except BrokenError as error:
            return Message("failed", reason=str(error))
        subject, body = split_subject(text)
        if not body:
            return Message("failed", subject, reason="the rendered message is empty")
        return Message("sent", subject, body)


def split_subject(text: str) -> tuple[str, str]:
    """(subject, body): a first line ``Subject: …`` is the subject."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    if first.startswith(SUBJECT):
        return first.removeprefix(SUBJECT).strip(), rest.strip()
    return "", text
