"""What a template language offers to the sandbox, and how a template can end without a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class TemplateError(Exception):
    """The template cannot be read; the text says where and why."""


class SkippedError(Exception):
    """The template decided that this person gets no message; the text is the reason."""


class BrokenError(Exception):
    """The template cannot be rendered for this person; the text says where and why."""


class Template(Protocol):
    """A template that was read."""

    def render(self, values: Mapping[str, Any]) -> str:
        """One person's text. ``values`` are called as the tool calls them. Raises SkippedError or
        BrokenError."""


class Language(Protocol):
    """A tool's template language. Thread-safe."""

    def parse(self, text: str) -> Template:
        """Raises TemplateError."""
