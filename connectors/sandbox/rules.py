"""How each tool calls for content when it makes a message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """What the fetcher keeps to.

    ``budget_s`` is for one whole answer; ``attempts`` are made, ``pause_s`` apart and then twice as
    long each time, before a call has failed. ``cache_s``: for so long an answer serves everybody
    with the same address (0: asked anew). ``ports`` may be called (None: any). A failed call
    ``skips`` the message, or else the template sees nothing. ``sends_key``: the tool can send a
    header that nobody sees.
    """

    user_agent: str
    budget_s: float
    attempts: int = 1
    pause_s: float = 0.0
    cache_s: int = 0
    ports: frozenset[int] | None = None
    skips: bool = False
    sends_key: bool = True


# https://www.braze.com/docs/user_guide/personalization_and_dynamic_content/connected_content/
BRAZE = Rules(
    "Braze Sender (Rightsend sandbox)", 2.0, pause_s=0.5, cache_s=300, ports=frozenset({80, 443})
)
# https://support.iterable.com/hc/en-us/articles/45728211053332-Creating-a-Data-Feed-Web-Service
ITERABLE = Rules("Iterable (Rightsend sandbox)", 10.0, attempts=5, skips=True)
# https://help.klaviyo.com/hc/en-us/articles/115005258768
KLAVIYO = Rules("Klaviyo (Rightsend sandbox)", 5.0, cache_s=900, skips=True, sends_key=False)
# https://docs.customer.io/journeys/webhooks-action
CUSTOMERIO = Rules("Customer.io (Rightsend sandbox)", 10.0)
# https://documentation.onesignal.com/docs/data-feeds
ONESIGNAL = Rules("OneSignal (Rightsend sandbox)", 5.0, skips=True)
# https://help.moengage.com/hc/en-us/articles/115003622346-Content-APIs
MOENGAGE = Rules("MoEngage (Rightsend sandbox)", 5.0, attempts=4)
# https://docs.clevertap.com/docs/linked-content
CLEVERTAP = Rules("CleverTap (Rightsend sandbox)", 5.0)
