"""Kinds of content: one file a kind, each a function from what is asked to what is picked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import marshmallow as ma

from plugin.content.asked import Asked, Picked
from plugin.content.kinds import beside, for_you
from plugin.content.schema import ForYouArgumentsSchema, RelatedArgumentsSchema


class Kind(NamedTuple):
    """One kind: its name in the address, what it takes in the query and how it picks."""

    name: str
    description: str  # a headline, an empty line, and more if there is more to say
    arguments: type[ma.Schema]
    pick: Callable[[Asked], Picked]


_FOR_YOU = """Recommended for this customer

An unknown customer gets what is popular (`reason` unknown_customer). What the customer bought
in the last days is left out.
"""
_RELATED = """Others you may like, beside an item

An unknown item gives what is popular (`reason` unknown_item).
"""
_TOGETHER = """Frequently bought together with an item

An unknown item gives what is popular (`reason` unknown_item).
"""
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("for-you", _FOR_YOU, ForYouArgumentsSchema, for_you.pick),
        Kind("related", _RELATED, RelatedArgumentsSchema, beside.related),
        Kind("bought-together", _TOGETHER, RelatedArgumentsSchema, beside.bought_together),
    )
}
