"""Handlebars as Iterable has it, as far as usual templates need it.

``{{ … }}`` speaks of the person, ``[[ … ]]`` of the data feeds. Both are HTML-escaped;
``{{{ … }}}`` and ``[[{ … }]]`` are not. Helpers: if, unless, each, urlEncode, defaultIfEmpty,
sendSkip. Neither subexpressions nor whitespace control.

https://support.iterable.com/hc/en-us/articles/205480365-Personalizing-Templates-with-Handlebars
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote_plus

from connectors.sandbox.language import BrokenError, SkippedError, TemplateError

PERSON, FEED = "{{", "[["  # how a tag opens, and whose values it reads
MARK = re.compile(
    r"\{\{!--.*?--\}\}|\{\{![^}]*\}\}"  # comments
    r"|\{\{\{(?P<raw_person>[^{}]+)\}\}\}|\{\{(?P<person>[^{}]+)\}\}"
    r"|\[\[\{(?P<raw_feed>[^\[\]{}]+)\}\]\]|\[\[(?P<feed>[^\[\]]+)\]\]",
    re.DOTALL,
)
WORD = re.compile(r'\s*(?:(?P<key>\w+)=)?(?P<value>"[^"]*"|\'[^\']*\'|[^\s="\'()]+)')
NUMBER = re.compile(r"-?\d+(\.\d+)?")
LARGEST_TEXT = 1_000_000
DEEPEST = 50
Frames = Sequence[Any]  # the values that a name is looked up in, innermost last


@dataclass(frozen=True)
class Words:
    """The inside of a tag: a helper or path, what it is given, ``key=value`` pairs."""

    name: str
    given: tuple[str, ...]
    named: Mapping[str, str]


@dataclass(frozen=True)
class Output:
    words: Words
    side: str
    raw: bool


@dataclass
class Block:
    """``#if`` and the like. ``otherwise`` is what follows ``else``."""

    words: Words
    side: str
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)
    past_else: bool = False

    def add(self, node: Node) -> None:
        (self.otherwise if self.past_else else self.body).append(node)


Node = str | Output | Block


class Handlebars:
    """Stateless."""

    def parse(self, text: str) -> HandlebarsTemplate:
        """Raises TemplateError naming the line."""
        root = Block(Words("", (), {}), "")
        open_blocks, at = [root], 0
        for mark in MARK.finditer(text):
            open_blocks[-1].add(text[at : mark.start()])
            at = mark.end()
            try:
                _take(mark, open_blocks)
            except TemplateError as error:
                line = text.count("\n", 0, mark.start()) + 1
                raise TemplateError(f"line {line}: {error}") from None
        open_blocks[-1].add(text[at:])
        if len(open_blocks) > 1:
            raise TemplateError(f"#{open_blocks[-1].words.name} is not closed")
        return HandlebarsTemplate(root.body)


def _take(mark: re.Match[str], open_blocks: list[Block]) -> None:
    """One tag: into the innermost open block, or opening or closing one."""
    side = FEED if mark["feed"] or mark["raw_feed"] else PERSON
    raw = mark["raw_person"] or mark["raw_feed"]
    inside = (raw or mark["person"] or mark["feed"] or "").strip()
    block = open_blocks[-1]
    if not inside:
        return  # a comment
    if raw:
        block.add(Output(_words(inside), side, raw=True))
    elif inside == "else" and block.words.name and not block.past_else and side == block.side:
        block.past_else = True
    elif inside.startswith("#"):
        words = _words(inside[1:])
        if words.name not in BLOCKS:
            raise TemplateError(f"unknown helper #{words.name}")
        if len(words.given) != BLOCKS[words.name]:
            raise TemplateError(f"#{words.name} takes {BLOCKS[words.name]} value")
        if len(open_blocks) > DEEPEST:
            raise TemplateError("the template is nested too deeply")
        open_blocks.append(Block(words, side))
    elif inside.startswith("/"):
        if inside[1:].strip() != block.words.name or side != block.side:
            raise TemplateError(f"{inside} closes nothing")
        open_blocks.pop()
        open_blocks[-1].add(block)
    else:
        block.add(Output(_words(inside), side, raw=False))


def _words(text: str) -> Words:
    found, at = [], 0
    while at < len(text.rstrip()):
        word = WORD.match(text, at)
        if word is None:
            raise TemplateError(f"cannot read {text[:80]!r}")
        found.append((word["key"], word["value"]))
        at = word.end()
    if not found or found[0][0] is not None:
        raise TemplateError(f"cannot read {text[:80]!r}")
    given = tuple(value for key, value in found[1:] if key is None)
    return Words(found[0][1], given, {key: value for key, value in found if key})


class HandlebarsTemplate:
    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    def render(self, values: Mapping[str, Any]) -> str:
        """``values``: "person" and "feed"."""
        frames = {PERSON: (values["person"],), FEED: (values["feed"],)}
        pieces, size = [], 0
        for piece in _render(self._nodes, frames):
            size += len(piece)
            if size > LARGEST_TEXT:
                raise BrokenError("the rendered message is too large")
            pieces.append(piece)
        return "".join(pieces)


def _render(nodes: Sequence[Node], frames: Mapping[str, Frames]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, Output):
            yield _output(node, frames[node.side])
        else:
            yield from _block(node, frames)


def _output(node: Output, frames: Frames) -> str:
    words = node.words
    if words.name == "sendSkip":
        raise SkippedError(_shown(_value(words.named.get("cause", '"sendSkip"'), frames)))
    if words.name == "defaultIfEmpty" and len(words.given) == 2:
        first, second = (_value(word, frames) for word in words.given)
        value = first if first not in (None, "") else second
    elif words.given or words.named:
        raise BrokenError(f"unknown helper {words.name}")
    else:
        value = _value(words.name, frames)
    return _shown(value) if node.raw else escape(_shown(value))


def _block(block: Block, frames: Mapping[str, Frames]) -> Iterator[str]:
    name = block.words.name
    if name == "urlEncode":
        yield quote_plus("".join(_render(block.body, frames)))
        return
    value = _value(block.words.given[0], frames[block.side])
    if name == "each" and isinstance(value, list) and value:
        for item in value:
            inner = {**frames, block.side: (*frames[block.side], item)}
            yield from _render(block.body, inner)
        return
    holds = bool(value) and name != "each"
    yield from _render(block.body if holds != (name == "unless") else block.otherwise, frames)


BLOCKS = {"if": 1, "unless": 1, "each": 1, "urlEncode": 0}  # helper → how many values it takes


def _value(word: str, frames: Frames) -> Any:
    """Of a literal or a path: ``a.b``, ``a.[0].b``, ``this``, ``../a``. None when it is missing."""
    if word[0] in "\"'":
        return word[1:-1]
    if NUMBER.fullmatch(word):
        return float(word) if "." in word else int(word)
    if word in ("true", "false"):
        return word == "true"
    outwards = 0
    while word.startswith("../"):
        word, outwards = word[3:], outwards + 1
    if outwards >= len(frames):
        return None
    value = frames[-1 - outwards]
    for name in word.split("."):
        name = name.strip("[]")
        if isinstance(value, Mapping):
            value = value.get(name) if name != "this" else value
        elif isinstance(value, list):
            value = value[int(name)] if name.isdigit() and int(name) < len(value) else None
        elif name != "this":
            return None
    return value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
