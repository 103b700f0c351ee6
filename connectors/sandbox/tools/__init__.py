"""Doubles of further host tools; the sandbox app mounts each under ``/tools/NAME``.

To remove one, delete its module and its lines here. How to write one: see the module base.
"""

from __future__ import annotations

from connectors.sandbox.tools.base import ToolDouble
from connectors.sandbox.tools.bloomreach import Bloomreach
from connectors.sandbox.tools.blueshift import Blueshift
from connectors.sandbox.tools.brevo import Brevo
from connectors.sandbox.tools.clevertap import CleverTap
from connectors.sandbox.tools.customerio import Customerio
from connectors.sandbox.tools.insider import Insider
from connectors.sandbox.tools.iterable import IterableDouble
from connectors.sandbox.tools.klaviyo import KlaviyoDouble
from connectors.sandbox.tools.mailchimp import Mailchimp
from connectors.sandbox.tools.moengage import MoEngage
from connectors.sandbox.tools.onesignal import OneSignal

TOOLS: dict[str, type[ToolDouble]] = {
    "bloomreach": Bloomreach,
    "blueshift": Blueshift,
    "brevo": Brevo,
    "clevertap": CleverTap,
    "customerio": Customerio,
    "insider": Insider,
    "iterable": IterableDouble,
    "klaviyo": KlaviyoDouble,
    "mailchimp": Mailchimp,
    "moengage": MoEngage,
    "onesignal": OneSignal,
}
