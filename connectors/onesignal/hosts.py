"""OneSignal's one host. Fixed: a key that is sent to a host of an attacker's choice is lost.

https://documentation.onesignal.com/reference/rest-api-overview
"""

from __future__ import annotations

HOSTS: dict[str, str] = {"api": "https://api.onesignal.com"}
