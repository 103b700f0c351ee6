"""MoEngage's hosts by data center. A fixed list: a workspace lives in one of them, and a key that
is sent to a host of an attacker's choice is lost.

https://www.moengage.com/docs/api/introduction
"""

from __future__ import annotations

DATA_CENTERS: dict[str, str] = {
    number: f"https://api-{number}.moengage.com"
    for number in ("01", "02", "03", "04", "05", "06", "101")
}
