"""docs/connectors.md, made from the registry."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

import marshmallow

from connectors.registry import REGISTRY
from connectors.tool import Ability, Connector

HEAD = """\
# Connectors

What Rightsend can do with each host tool, and how far the tool lets it. Made from the registry by
`python -m connectors.document > docs/connectors.md`; a test keeps it true. How delivery works:
[delivery.md](delivery.md). How to write one more: [new-connector.md](new-connector.md).
"""


def render() -> str:
    tools = sorted(REGISTRY.items(), key=lambda item: item[1].title.lower())
    return "\n".join([HEAD, "## Who can do what", "", *_abilities(tools), "", *_tools(tools)])


def _abilities(tools: Sequence[tuple[str, Connector]]) -> list[str]:
    rows = [
        (
            connector.title,
            f"`{name}`",
            *("yes" if a in connector.abilities else "" for a in Ability),
        )
        for name, connector in tools
    ]
    return _table(("tool", "`type`", *(ability.value for ability in Ability)), rows)


def _tools(tools: Sequence[tuple[str, Connector]]) -> list[str]:
    lines = []
    for name, connector in tools:
        lines += [f"## {connector.title} (`type: {name}`)", ""]
        if connector.limits:
            lines += [*_table(("limit", ""), connector.limits.items()), ""]
        lines += [*_table(("option", "", "default"), _options(connector.options().fields)), ""]
    return lines


def _options(fields: Mapping[str, marshmallow.fields.Field]) -> list[tuple[str, str, str]]:
    return [
        (f"`{name}`", str(field.metadata["description"]), _default(field))
        for name, field in fields.items()
    ]


def _default(field: marshmallow.fields.Field) -> str:
    if field.required:
        return "required"
    value = field.load_default() if callable(field.load_default) else field.load_default
    return "" if value in (marshmallow.missing, None, {}) else f"`{value}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |" for line in lines]


if __name__ == "__main__":
    sys.stdout.write(render())
