"""Liquid, as Braze, Customer.io, OneSignal and CleverTap have it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from liquid import BoundTemplate, Environment, FalsyStrictUndefined, Undefined
from liquid.exceptions import LiquidError
from liquid.filter import string_filter

from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.language import BrokenError, TemplateError
from connectors.sandbox.syntax import to_liquid
from connectors.sandbox.tags import Abort, AbortMessage, ConnectedContent, CredentialOf


class Limited(Environment):
    """A template that runs away ends with an error, not with the process."""

    loop_iteration_limit = 100_000
    output_stream_limit = 1_000_000


class Liquid:
    """``undefined`` says what a missing value is; ``rewrite`` makes plain Liquid of a dialect."""

    def __init__(
        self,
        undefined: type[Undefined] = Undefined,
        rewrite: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.env = Limited(undefined=undefined)
        self._rewrite = rewrite

    def parse(self, text: str) -> LiquidTemplate:
        try:
            return LiquidTemplate(self.env.from_string(self._rewrite(text)))
        except LiquidError as error:
            raise TemplateError(_sentence(error)) from error


class LiquidTemplate:
    def __init__(self, template: BoundTemplate) -> None:
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        try:
            return self._template.render(**values)
        except LiquidError as error:
            raise BrokenError(_sentence(error)) from error
        except RecursionError:
            raise BrokenError("the template is nested too deeply") from None


def braze(fetcher: Fetcher, credential_of: CredentialOf) -> Liquid:
    """With Connected Content, ``abort_message`` and the ``${name}`` notation."""
    language = Liquid(rewrite=to_liquid)
    tag = ConnectedContent(language.env, fetcher, credential_of)
    language.env.tags[ConnectedContent.name] = tag
    language.env.add_tag(AbortMessage)
    for each in (url_param_escape, url_escape, json_escape, as_json_string, sha256):
        language.env.add_filter(each.__name__, each)
    return language


def customerio() -> Liquid:
    """A missing value that is printed fails the message; one that is asked about does not.

    https://docs.customer.io/journeys/liquid-tag-list
    """
    return Liquid(FalsyStrictUndefined)


def clevertap() -> Liquid:
    """With ``{% abort %}``: https://docs.clevertap.com/docs/liquid-tags"""
    language = Liquid()
    language.env.add_tag(Abort)
    return language


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
