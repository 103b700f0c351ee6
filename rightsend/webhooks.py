"""What host tools tell over HTTP: the connectors' readers, as the plugin takes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from connectors.inbound import BadBody, Forbidden, Inbound, Webhook
from connectors.registry import REGISTRY
from plugin.events.translating import BadDocumentError, Translator


def translators() -> dict[str, Translator]:
    """By type of connection."""
    return {
        name: Translator(partial(_verified, connector.webhook), partial(_read, connector.webhook))
        for name, connector in REGISTRY.items()
        if connector.webhook is not None
    }


def _verified(
    webhook: Webhook, body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]
) -> bool:
    try:
        webhook.verify(body, headers, options)
    except Forbidden:
        return False
    return True


def _read(
    webhook: Webhook, body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]
) -> Inbound:
    try:
        return webhook.read(body, headers, options)
    except BadBody as error:
        raise BadDocumentError(str(error)) from None
