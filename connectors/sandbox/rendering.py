"""A template and a profile → one message, as Braze's Liquid would have it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson
from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError
from liquid.filter import string_filter

from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.syntax import to_liquid
from connectors.sandbox.tags import (
    AbortMessage,
    AbortMessageError,
    ConnectedContent,
    CredentialOf,
)

SUBJECT = "Subject:"
State = Literal["sent", "aborted", "failed"]


class TemplateError(Exception):
    """The template cannot be read; the text says where and why."""


@dataclass(frozen=True)
class Message:
    """``sent`` has a body; ``aborted`` (by the template) and ``failed`` have a reason."""

    state: State
    subject: str = ""
    body: str = ""
    reason: str | None = None


class Limited(Environment):
    """A template that runs away ends with an error, not with the process."""

    loop_iteration_limit = 100_000
    output_stream_limit = 1_000_000


class Renderer:
    """Thread-safe once made."""

    def __init__(self, fetcher: Fetcher, credential_of: CredentialOf) -> None:
        self._env = Limited()
        self._env.tags[ConnectedContent.name] = ConnectedContent(self._env, fetcher, credential_of)
        self._env.add_tag(AbortMessage)
        self._env.add_filter("url_param_escape", url_param_escape)
        self._env.add_filter("url_escape", url_escape)
        self._env.add_filter("json_escape", json_escape)
        self._env.add_filter("as_json_string", as_json_string)
        self._env.add_filter("sha256", sha256)

    def parse(self, template: str) -> BoundTemplate:
        """Raises TemplateError."""
        try:
            return self._env.from_string(to_liquid(template))
        except LiquidError as error:
            raise TemplateError(_sentence(error)) from error

    def render(
        self,
        template: BoundTemplate,
        *,
        profile: Mapping[str, Any],
        campaign: Mapping[str, str],
        properties: Mapping[str, Any],
    ) -> Message:
        """One person's message. ``profile`` has ``external_id``, standard fields and
        ``custom_attributes``; ``properties`` come with an API-triggered send."""
        standard = {name: value for name, value in profile.items() if name != "custom_attributes"}
        try:
            text = template.render(
                profile={**standard, "user_id": profile["external_id"]},
                custom_attribute=profile.get("custom_attributes", {}),
                campaign=campaign,
                api_trigger_properties=properties,
            )
        except AbortMessageError as error:
            return Message("aborted", reason=str(error))
        except LiquidError as error:
            return Message("failed", reason=_sentence(error))
        except RecursionError:
            return Message("failed", reason="the template is nested too deeply")
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


@string_filter
def url_param_escape(text: str) -> str:
    """For one value in a query string: ``&``, ``/`` and ``+`` are escaped too."""
    return quote(text, safe="")


@string_filter
def url_escape(text: str) -> str:
    """For a whole URL: its delimiters stay."""
    return quote(text, safe=":/?#[]@!$&'()*+,;=%")


@string_filter
def json_escape(text: str) -> str:
    """For the inside of a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def as_json_string(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


@string_filter
def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sentence(error: LiquidError) -> str:
    try:
        context = error.context()
    except ValueError:  # the error stands behind the end of a part of the template
        context = None
    where = f"line {context[0]}: " if context else ""
    return f"{where}{error.message}"[:300]
