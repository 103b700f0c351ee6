"""A call's question apart from whom it is about: validated once, however many ask it.

A campaign asks the same of a million customers: what stands in the query besides ``customer`` is
read and checked by the kind's schema the first time only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

import marshmallow as ma
import orjson
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict

from plugin.content.kinds import KINDS, Kind
from plugin.content.money import check_currency
from plugin.ids import MAX_ID_BYTES
from settings.workspace import ContentSettings

_CUSTOMER = "customer="
_SHORT = 512  # characters of a query
_NAME = re.compile(r"[a-z_]{1,30}")
_MOST_TOLD = 5


class Call(NamedTuple):
    """``arguments`` are what the kind's schema loaded, without the customer; ``digest`` tells one
    question from another; ``limit``: items at most; ``unknown``: parameters that came along and
    mean nothing, as unknown_names() gives them."""

    kind: Kind
    arguments: Mapping[str, Any]
    limit: int
    campaign: str
    digest: bytes
    unknown: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: Kind, arguments: Mapping[str, Any], content: ContentSettings) -> Call:
        limit = min(arguments.get("limit", content.default_limit), content.max_limit)
        rest = {n: value for n, value in arguments.items() if n not in ("customer", "limit")}
        text = orjson.dumps(
            [kind.name, limit, rest], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
        )
        return cls(kind, rest, limit, rest.get("campaign", ""), blake2b(text).digest())


def unknown_names(schema: ma.Schema, given: Iterable[str]) -> tuple[str, ...]:
    """Names of parameters that ``schema`` does not know, a few at most. What may be no name but a
    piece of somebody's id (an `&` that was not encoded) is "other"."""
    known = {field.data_key or name for name, field in schema.fields.items()}
    found = (name if _NAME.fullmatch(name) else "other" for name in given if name not in known)
    return tuple(islice(dict.fromkeys(found), _MOST_TOLD))


def split(query: str) -> tuple[str, str] | None:
    """(customer, the rest of the query); None when only the schema can tell, as the customer stands
    there twice, is too long or no text."""
    customer, rest, found = "", query, False
    if _CUSTOMER in query:
        parts = []
        for part in query.split("&"):
            if not part.startswith(_CUSTOMER):
                parts.append(part)
            elif found:
                return None
            else:
                found = True
                customer = part[len(_CUSTOMER) :]
        rest = "&".join(parts)
    if "%" in customer or "+" in customer:
        try:
            customer = unquote_to_bytes(customer.replace("+", " ")).decode()
        except UnicodeDecodeError:
            return None
    if len(customer.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
        return None
    return customer, rest


class Calls:
    """The calls that a workspace was asked, by kind and query; of long ones a few are enough, as
    each takes tens of kilobytes."""

    def __init__(self, content: ContentSettings, currencies: frozenset[str]) -> None:
        self._content = content
        self._currencies = currencies
        self._short = lru_cache(maxsize=4096)(self._read)
        self._long = lru_cache(maxsize=64)(self._read)

    def known(self, name: str, rest: str) -> Call | None:
        """The call that ``rest`` of a query asks of the kind ``name``; None if it is not right."""
        if name not in KINDS:
            return None
        return (self._short if len(rest) <= _SHORT else self._long)(name, rest)

    def _read(self, name: str, rest: str) -> Call | None:
        kind = KINDS[name]
        if len(rest) > 65_536:
            return None
        schema = kind.arguments()
        try:
            pairs = parse_qsl(rest, keep_blank_values=True, errors="strict", max_num_fields=200)
            given = MultiDictProxy(MultiDict(pairs), schema)
            loaded = schema.load(given, unknown=ma.EXCLUDE)  # a proxy may add its own
            check_currency(loaded, self._currencies)
        except (ma.ValidationError, ValueError):
            return None
        unknown = unknown_names(schema, (name for name, _ in pairs))
        return Call.of(kind, loaded, self._content)._replace(unknown=unknown)
