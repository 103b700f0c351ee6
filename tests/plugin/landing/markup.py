"""A page as a reader without eyes meets it: enough of HTML to check the basics of accessibility."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "link", "br", "source", "input", "hr"}
Attributes = dict[str, str | None]


@dataclass
class Element:
    """``within``: the tags around it, from the outside in."""

    tag: str
    attributes: Attributes
    within: tuple[str, ...]
    text: str = ""
    inner: list[Element] = field(default_factory=list)


class Markup(HTMLParser):
    """All elements of a page, in order. ``problems``: tags that were never opened or closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(html)
        self.problems += [f"<{each.tag}> is never closed" for each in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"<{tag}> has an attribute twice: {names}")
        element = Element(tag, dict(attrs), tuple(each.tag for each in self._open))
        self.elements.append(element)
        if self._open:
            self._open[-1].inner.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.problems.append(f"</{tag}> closes nothing")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.text += data

    def all(self, *tags: str) -> list[Element]:
        return [each for each in self.elements if each.tag in tags]

    def one(self, tag: str) -> Element:
        (found,) = self.all(tag)
        return found
