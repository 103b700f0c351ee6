"""Braze's REST hosts. A fixed list: the right key on a wrong host is a 401, and a key that is sent
to a host of an attacker's choice is lost.

https://www.braze.com/docs/api/basics/#endpoints
"""

from __future__ import annotations

INSTANCES: dict[str, str] = {
    **{f"iad-0{n}": f"https://rest.iad-0{n}.braze.com" for n in range(1, 9)},
    "us-10": "https://rest.us-10.braze.com",
    "fra-01": "https://rest.fra-01.braze.eu",
    "fra-02": "https://rest.fra-02.braze.eu",
    "au-01": "https://rest.au-01.braze.com",
    "id-01": "https://rest.id-01.braze.com",
    "jp-01": "https://rest.jp-01.braze.com",
    "kr-01": "https://rest.kr-01.braze.com",
}
