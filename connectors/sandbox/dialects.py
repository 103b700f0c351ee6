"""What the tools call things in their templates, and how they come to content at send time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox import jinja_languages, liquid_language, rules
from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.handlebars import Handlebars
from connectors.sandbox.jinja_languages import CatalogOf
from connectors.sandbox.language import Language
from connectors.sandbox.rules import Rules
from connectors.sandbox.tags import CredentialOf

Values = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Whom a message is for. ``fields`` are standard ones such as first_name; ``attributes`` are
    the custom ones; ``campaign`` has api_id and name; ``properties`` come with a triggered send."""

    customer_id: str
    fields: Mapping[str, Any]
    attributes: Mapping[str, Any]
    campaign: Mapping[str, str]
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Dialect:
    """A tool's template language, with its rules for a feed (a call that is set up beside the
    template). ``values`` are the tool's names for a person and for what each feed answered."""

    language: Language
    rules: Rules
    values: Callable[[Person, Mapping[str, Any]], Values]


def dialects(
    fetcher: Fetcher, credential_of: CredentialOf, catalog_of: CatalogOf
) -> dict[str, Dialect]:
    """Name → dialect. Braze calls by a tag of its templates, the others by a feed."""
    liquid, jinja = liquid_language, jinja_languages
    return {
        "braze": Dialect(liquid.braze(fetcher, credential_of), rules.BRAZE, _braze),
        "iterable": Dialect(Handlebars(), rules.ITERABLE, _iterable),
        "klaviyo": Dialect(jinja.klaviyo(catalog_of), rules.KLAVIYO, _klaviyo),
        "customerio": Dialect(liquid.customerio(), rules.CUSTOMERIO, _customerio),
        "onesignal": Dialect(liquid.Liquid(), rules.ONESIGNAL, _onesignal),
        "moengage": Dialect(jinja.moengage(), rules.MOENGAGE, _moengage),
        "clevertap": Dialect(liquid.clevertap(), rules.CLEVERTAP, _clevertap),
    }


def _braze(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        "profile": {**person.fields, "user_id": person.customer_id},
        "custom_attribute": person.attributes,
        "campaign": person.campaign,
        "api_trigger_properties": person.properties,
    }


def _iterable(person: Person, answers: Mapping[str, Any]) -> Values:
    known = {
        **person.attributes,
        **person.fields,
        "userId": person.customer_id,
        "campaignId": person.campaign["api_id"],
    }
    return {"person": {**known, **person.properties}, "feed": answers}


def _klaviyo(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        **person.fields,
        "person": {**person.fields, **person.attributes},
        "event": person.properties,
        "feeds": answers,
    }


def _customerio(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        "customer": {**person.attributes, **person.fields, "id": person.customer_id},
        "campaign": {"id": person.campaign["api_id"], "name": person.campaign["name"]},
        "trigger": person.properties,
        "journey": answers,
    }


def _onesignal(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        **person.attributes,
        "user": {"tags": person.attributes},
        "subscription": {**person.fields, "external_id": person.customer_id},
        "message": {"custom_data": person.properties},
        "data_feed": answers,
    }


def _moengage(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        "UserAttribute": {**person.attributes, **person.fields, "ID": person.customer_id},
        "EventAttribute": person.properties,
        "ContentApi": {name: _function(answer) for name, answer in answers.items()},
    }


def _clevertap(person: Person, answers: Mapping[str, Any]) -> Values:
    return {
        "Profile": {**person.attributes, **person.fields, "Identity": person.customer_id},
        "Event": person.properties,
        "Linked": answers,
    }


def _function(answer: Any) -> Callable[..., Any]:
    return lambda *_: answer
