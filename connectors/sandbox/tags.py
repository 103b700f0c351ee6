"""The Liquid tags that tools add: Braze's ``connected_content`` and ``abort_message``, CleverTap's
``abort``."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, TextIO

import orjson
from liquid.ast import Node
from liquid.exceptions import LiquidSyntaxError
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token

from connectors.sandbox.fetching import Call, CallFailedError, Fetcher
from connectors.sandbox.language import SkippedError

if TYPE_CHECKING:
    from liquid import BoundTemplate, Environment, RenderContext
    from liquid.stream import TokenStream

VALUES = frozenset(
    {"method", "headers", "body", "content_type", "basic_auth", "auth_credentials", "save",
     "cache_max_age"}
)  # fmt: skip
SWITCHES = frozenset({"no_cache", "retry"})
OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
OPTION = re.compile(rf"\s:({'|'.join(sorted(VALUES | SWITCHES))})(?=\s|$)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

CredentialOf = Callable[[str], tuple[str, str] | None]


class AbortMessage(Tag):
    """``{% abort_message("reason") %}``"""

    name = "abort_message"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        text = stream.current.value if stream.current.kind == TOKEN_EXPRESSION else "()"
        match = re.fullmatch(r"\(\s*(?:(['\"])(?P<reason>.*)\1)?\s*\)", text.strip(), re.DOTALL)
        if match is None:
            raise LiquidSyntaxError('write abort_message("reason")', token=token)
        return AbortMessageNode(token, match["reason"] or "")


class AbortMessageNode(Node):
    def __init__(self, token: Token, reason: str) -> None:
        super().__init__(token)
        self.reason = reason

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        raise SkippedError(self.reason or "aborted without a reason")


class Abort(Tag):
    """``{% abort %}``"""

    name = "abort"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return AbortMessageNode(stream.current, "")


class ConnectedContent(Tag):
    """``{% connected_content URL :option value … %}``; values may hold ``{{ … }}``."""

    name = "connected_content"
    block = False

    def __init__(self, env: Environment, fetcher: Fetcher, credential_of: CredentialOf) -> None:
        super().__init__(env)
        self.fetcher = fetcher
        self.credential_of = credential_of

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        if stream.current.kind != TOKEN_EXPRESSION:
            raise LiquidSyntaxError("connected_content needs a URL", token=token)
        url, options = split_options(stream.current.value)
        masked = OUTPUT.sub("x", url)
        if not url or re.search(r"\s", masked):
            what = f"expected a URL and known options, found {url[:80]!r}"
            raise LiquidSyntaxError(what, token=token)
        if not NAME.fullmatch(options.get("save", "connected")):
            raise LiquidSyntaxError(":save takes the name of a variable", token=token)
        if options.get("method", "get").lower() not in ("get", "post"):
            raise LiquidSyntaxError(":method is get or post", token=token)
        if not options.get("cache_max_age", "0").isdigit():
            raise LiquidSyntaxError(":cache_max_age takes a number of seconds", token=token)
        parts = {name: self.env.from_string(text) for name, text in {"url": url, **options}.items()}
        return ConnectedContentNode(token, self, parts, frozenset(options))


class ConnectedContentNode(Node):
    def __init__(
        self,
        token: Token,
        tag: ConnectedContent,
        parts: dict[str, BoundTemplate],
        given: frozenset[str],
    ) -> None:
        super().__init__(token)
        self.tag = tag
        self.parts = parts
        self.given = given

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        text = {name: _render(part, context) for name, part in self.parts.items()}
        try:
            value = self.tag.fetcher.fetch(self._call(text))
        except CallFailedError as error:
            raise SkippedError(f"connected_content failed for good: {error}") from error
        if "save" in self.given:
            context.assign(text["save"], value)
        elif isinstance(value, str):
            return buffer.write(value)
        else:
            context.assign("connected", value)
        return 0

    def _call(self, text: dict[str, str]) -> Call:
        method = text.get("method", "get").upper()
        headers, credential = self._headers(text.get("headers")), None
        if "basic_auth" in text:
            credential = self._credential(text["basic_auth"])
        if "auth_credentials" in text:
            name, value = self._credential(text["auth_credentials"])
            headers[name] = value
        return Call(
            url=text["url"],
            method=method,
            headers=headers,
            body=text.get("body"),
            content_type=text.get("content_type"),
            credential=credential,
            cache_max_age_s=int(text["cache_max_age"]) if "cache_max_age" in text else None,
            no_cache="no_cache" in self.given,
            retry="retry" in self.given,
        )

    def _credential(self, name: str) -> tuple[str, str]:
        credential = self.tag.credential_of(name)
        if credential is None:
            raise LiquidSyntaxError(f"there is no credential named {name}", token=self.token)
        return credential

    def _headers(self, text: str | None) -> dict[str, str]:
        try:
            headers = orjson.loads(text) if text else {}
        except ValueError:
            headers = None
        if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
            raise LiquidSyntaxError(":headers takes a JSON object of texts", token=self.token)
        return headers


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """(URL, option → value) of the tag's text. Marks inside ``{{ … }}`` do not count."""
    masked = OUTPUT.sub(lambda match: "x" * len(match.group()), text)
    marks = list(OPTION.finditer(masked))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    options = {
        mark[1]: text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False)
    }
    return text[: marks[0].start() if marks else len(text)].strip(), options


def _render(template: BoundTemplate, context: RenderContext) -> str:
    buffer = StringIO()
    template.render_with_context(context, buffer, partial=True)
    return buffer.getvalue().strip()
