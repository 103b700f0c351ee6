"""Iterable's data centers. A fixed list: a key works in the one of its project only, and a key that
is sent to a host of an attacker's choice is lost.

https://support.iterable.com/hc/en-us/articles/41044692130196
"""

from __future__ import annotations

DATA_CENTERS: dict[str, str] = {
    "us": "https://api.iterable.com",
    "eu": "https://api.eu.iterable.com",
}
