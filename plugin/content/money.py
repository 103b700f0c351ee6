"""Prices as a customer reads them, in the currency and language that the call asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import marshmallow as ma
from babel.numbers import format_currency, get_currency_precision

from plugin.content.asked import Asked, Entry
from plugin.errors import CODES, fail


def check_currency(arguments: Mapping[str, Any], currencies: frozenset[str]) -> None:
    """Raises ValidationError for a currency that the workspace has no rate of."""
    asked = arguments.get("currency")
    if asked is not None and asked not in currencies:
        known = ", ".join(sorted(currencies))
        raise ma.ValidationError(
            {"currency": [f"No rate for {asked}; content.currency_rates knows {known}."]}
        )


def require_currency(arguments: Mapping[str, Any], currencies: frozenset[str]) -> None:
    """Answers 422 where check_currency() raises."""
    try:
        check_currency(arguments, currencies)
    except ma.ValidationError as error:
        fail(422, *CODES[422], details=error.messages_dict)


def priced(asked: Asked, entries: list[Entry]) -> list[Entry]:
    """The same with ``price_text``, and with ``local_price`` in the currency that was asked for."""
    own = asked.settings.currency
    currency: str = asked.arguments.get("currency") or own
    rate = 1.0 if currency == own else asked.settings.content.currency_rates[currency]
    language: str = asked.arguments.get("locale") or asked.settings.locale
    price_of = asked.reading.published.catalogue.price
    told = []
    for entry in entries:
        price = price_of(entry.number)
        local = None if price is None else in_units(price * rate, currency)
        more = {
            "local_price": local,
            "local_currency": currency,
            "price_text": None if local is None else money(local, currency, language),
        }
        told.append(entry._replace(extra={**(entry.extra or {}), **more}))
    return told


@lru_cache(maxsize=16_384)
def money(amount: float, currency: str, language: str) -> str:
    """As people write it: ₩1,380, $0.99."""
    return format_currency(amount, currency, locale=language)


def in_units(amount: float, currency: str) -> float:
    """Rounded to the currency's smallest unit: a whole number (int) where it has no decimals."""
    return round(amount, get_currency_precision(currency) or None)
