"""JSON pointers. https://datatracker.ietf.org/doc/html/rfc6901"""

from __future__ import annotations

from typing import Any

MISSING: Any = object()


def at(document: Any, pointer: str) -> Any:
    """The value at ``pointer``, MISSING when there is none."""
    value = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and len(name) < 9:
            if int(name) >= len(value):
                return MISSING
            value = value[int(name)]
        else:
            return MISSING
    return value
