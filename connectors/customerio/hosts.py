"""Customer.io's hosts by region: data goes to the Track API, everything else to the App API. Fixed
lists, as a key that is sent to a host of an attacker's choice is lost.

https://docs.customer.io/integrations/api/customerio-apis/
"""

from __future__ import annotations

TRACK: dict[str, str] = {
    "us": "https://track.customer.io",
    "eu": "https://track-eu.customer.io",
}
APP: dict[str, str] = {
    "us": "https://api.customer.io",
    "eu": "https://api-eu.customer.io",
}
