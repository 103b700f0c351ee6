"""Braze's ``${name}`` notation → plain Liquid.

``{{${user_id}}}`` becomes ``{{profile["user_id"]}}``, ``{{custom_attribute.${x}}}`` becomes
``{{custom_attribute["x"]}}``; text outside of Liquid's marks stays as it is.
"""

from __future__ import annotations

import re

# `{{${user_id}}}` ends with the last two of three braces.
LIQUID = re.compile(r"\{\{.*?\}\}(?!\})|\{%.*?%\}", re.DOTALL)
RAW = re.compile(r"(\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\})", re.DOTALL)
VARIABLE = re.compile(r"(\.?)\$\{([^{}\"]*)\}")


def to_liquid(template: str) -> str:
    """The same template in the notation that python-liquid reads."""
    pieces = RAW.split(template)
    pieces[::2] = [LIQUID.sub(_rewrite, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _rewrite(match: re.Match[str]) -> str:
    return VARIABLE.sub(_variable, match.group())


def _variable(match: re.Match[str]) -> str:
    dot, name = match.groups()
    return f'["{name.strip()}"]' if dot else f'profile["{name.strip()}"]'
