"""docs/connectors.md, made from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.registry import REGISTRY
from connectors.tool import Ability, Connector

HEAD = """\
# Connectors

What Rightsend can do with each host tool, and how far the tool lets it. Made from the registry by
`rightsend docs`. Their options: [configuration.md](configuration.md); how delivery works:
[delivery.md](delivery.md); how to write one more: [new-connector.md](new-connector.md).
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
    return lines


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |" for line in lines]
