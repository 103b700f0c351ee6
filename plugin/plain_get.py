"""The head of a plain GET in few steps: what messaging tools send, and their proxies.

Only what can be read in one way is read here (RFC 9112, 3 to 6): a GET in HTTP/1.1 with a plain
path, whole lines, no body, no upgrade, nothing behind it. All else is gunicorn's parser's, which
takes longer and says what is wrong.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_BYTES = 8_192  # of a head: below gunicorn's limits of a line and of a field
_HEAD = re.compile(
    # at most so many fields as plugin.gunicorn_conf allows; no "_" in names, as WSGI maps "-" to it
    r"GET (/[0-9A-Za-z-][0-9A-Za-z/-]*)(?:\?([!-\"$-~]*+))? HTTP/1\.1\r\n"
    r"((?:[!#$%&'*+.^`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*+\r\n){0,64})\r\n"
)
_MORE = {"CONTENT-LENGTH", "TRANSFER-ENCODING", "EXPECT", "UPGRADE", "HTTP2-SETTINGS"}
_AGAIN = {"keep-alive": True, "close": False}


class PlainGet(NamedTuple):
    """``headers``: by name in capitals, without blanks around the values; ``again``: the client
    keeps the connection."""

    path: str
    query: str
    headers: dict[str, str]
    again: bool


def plain_get(head: bytes) -> PlainGet | None:
    """None for everything that is not plain."""
    if len(head) > MOST_BYTES:
        return None
    found = _HEAD.fullmatch(head.decode("latin-1"))
    if found is None:
        return None
    path, query, lines = found.groups("")
    headers = {}
    fields = lines.split("\r\n")[:-1]
    for field in fields:
        name, _, value = field.partition(":")
        headers[name.upper()] = value.strip(" \t")
    if len(headers) < len(fields) or not _MORE.isdisjoint(headers):
        return None
    again = _AGAIN.get(headers.get("CONNECTION", "keep-alive").lower())
    return None if again is None else PlainGet(path, query, headers, again)
