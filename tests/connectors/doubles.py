"""For each connector of the registry, a double of its tool that the contract suite can look into.

A new connector adds a line to DOUBLES: a function that gives a connection to the running sandbox at
``url``, with KEY in every secret option, and the connector's fixed hosts patched to
``url/tools/<tool>``. Its options have ``timeout_s``. Its double is the one of the same name in
connectors.sandbox.tools; if it is another one, BEHIND says so. A second line for a connector is
called ``<connector>:<anything>``.

The suite's customers are called c000, c001, … (and 고객-1), their attributes rs_probability, a
number, and rs_items, a list of texts. Where a tool

- cannot hold numbers or lists as they are, FORMS has a function from our value to its;
- wants customer ids of one form, SPELLINGS has one from the suite's to such, and back;
- wants attributes of one form of name, the connection has its own instead of ATTRIBUTES;
- cannot do something though its connector can, or lacks a trait (see ``traits``), CANNOT says so.

A connector without HTTP writes into the folder ``url`` and has a line in READERS that reads what
it wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.attributes import plain
from connectors.bloomreach.options import HOSTS as BLOOMREACH
from connectors.blueshift.options import HOSTS as BLUESHIFT
from connectors.braze.hosts import INSTANCES
from connectors.brevo.connector import HOSTS as BREVO_HOSTS
from connectors.customerio import hosts as customerio_hosts
from connectors.customers import has_external_id
from connectors.insider.connector import HOSTS as INSIDER_HOSTS
from connectors.iterable.hosts import DATA_CENTERS as ITERABLE
from connectors.mailchimp.contacts import merge_value
from connectors.mailchimp.options import DATA_CENTERS as MAILCHIMP
from connectors.moengage.hosts import DATA_CENTERS as MOENGAGE
from connectors.onesignal.hosts import HOSTS as ONESIGNAL_HOSTS
from connectors.onesignal.tags import tag
from connectors.registry import REGISTRY
from connectors.sandbox.tools import TOOLS
from connectors.sandbox.tools.insider import PARTNER
from connectors.tool import Ability
from settings.workspace import ConnectionSettings
from tests.connectors.described import (
    described_braze,
    described_clevertap,
    described_iterable,
    files_connection,
    read_files,
)
from tests.connectors.double import ATTRIBUTES, KEY, Double, FakeTime, Reader, Spelling

__all__ = ["BEHIND", "DOUBLES", "FORMS", "KEY", "READERS", "SPELLINGS", "Double", "FakeTime"]

SLOW_REQUESTS = 200
CAPITAL_ATTRIBUTES = tuple(
    replace(each, name=name) for each, name in zip(ATTRIBUTES, ("RS_PROB", "RS_ITEMS"), strict=True)
)


def sandbox_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return ConnectionSettings("crm", "sandbox", ATTRIBUTES, {"url": url, "api_key": KEY})


def bloomreach_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(BLOOMREACH, "eu1", f"{url}/tools/bloomreach")
    options = {
        "instance": "eu1",
        "project_token": "11111111-2222-3333-4444-555555555555",
        "api_key_id": "id",
        "api_secret": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "bloomreach", ATTRIBUTES, options)


def blueshift_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(BLUESHIFT, "us", f"{url}/tools/blueshift")
    options = {"region": "us", "user_api_key": KEY, "timeout_s": 5.0}
    return ConnectionSettings("crm", "blueshift", ATTRIBUTES, options)


def braze_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(INSTANCES, "double-01", url)
    options = {
        "instance": "double-01",
        "api_key": KEY,
        "update_existing_only": False,
        "partner_name": "rightsend",
        "partner_api_key": KEY,
        "partner_client_secret": KEY,
        "export_hosts": ["127.0.0.1"],
    }
    return ConnectionSettings("crm", "braze", ATTRIBUTES, options)


def brevo_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(BREVO_HOSTS, "only", f"{url}/tools/brevo")
    options = {"api_key": KEY, "timeout_s": 5.0}
    return ConnectionSettings("crm", "brevo", CAPITAL_ATTRIBUTES, options)


def insider_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(INSIDER_HOSTS, "only", f"{url}/tools/insider")
    options = {"partner_name": PARTNER, "request_token": KEY, "timeout_s": 5.0}
    return ConnectionSettings("crm", "insider", ATTRIBUTES, options)


def iterable_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(ITERABLE, "double", f"{url}/tools/iterable")
    options = {
        "data_center": "double",
        "api_key": KEY,
        "update_existing_only": False,
        "timeout_s": 30.0,
        "webhook_token": KEY,
    }
    return ConnectionSettings("crm", "iterable", ATTRIBUTES, options)


def klaviyo_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setattr("connectors.klaviyo.api.HOST", f"{url}/tools/klaviyo")
    patch.setattr("connectors.klaviyo.connector.sleep", FakeTime.let_pass)
    options = {"api_key": KEY, "timeout_s": 30.0, "job_timeout_s": 600.0, "webhook_secret": KEY}
    return ConnectionSettings("crm", "klaviyo", ATTRIBUTES, options)


def customerio_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(customerio_hosts.TRACK, "us", f"{url}/tools/customerio")
    patch.setitem(customerio_hosts.APP, "us", f"{url}/tools/customerio")
    options = {
        "region": "us",
        "site_id": "site",
        "api_key": KEY,
        "app_api_key": KEY,
        "update_existing_only": False,
        "webhook_signing_key": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "customerio", ATTRIBUTES, options)


def onesignal_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(ONESIGNAL_HOSTS, "api", f"{url}/tools/onesignal")
    options = {
        "app_id": "11111111-2222-3333-4444-555555555555",
        "api_key": KEY,
        "webhook_token": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "onesignal", ATTRIBUTES, options)


def address_of(customer_id: str) -> str:
    """One of any text; who has no external id stays so."""
    if not has_external_id(customer_id):
        return customer_id
    return f"{customer_id.encode(errors='surrogatepass').hex()}@shop.example"


def customer_at(address: str) -> str:
    return bytes.fromhex(address.partition("@")[0]).decode()


def mailchimp_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(MAILCHIMP, "us21", f"{url}/tools/mailchimp/3.0")
    options = {
        "data_center": "us21",
        "api_key": KEY,
        "list_id": "a1b2c3d4e5",
        "update_existing_only": False,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "mailchimp", CAPITAL_ATTRIBUTES, options)


def moengage_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    patch.setitem(MOENGAGE, "01", f"{url}/tools/moengage")
    options = {
        "data_center": "01",
        "workspace_id": "workspace",
        "api_key": KEY,
        "update_existing_only": False,
        "webhook_token": KEY,
        "timeout_s": 5.0,
    }
    return ConnectionSettings("crm", "moengage", ATTRIBUTES, options)


def segment_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return ConnectionSettings("cdp", "segment", (), {"shared_secret": KEY})


Opener = Callable[[str, pytest.MonkeyPatch], ConnectionSettings]

DOUBLES: dict[str, Opener] = {
    "bloomreach": bloomreach_connection,
    "blueshift": blueshift_connection,
    "braze": braze_connection,
    "brevo": brevo_connection,
    "files": files_connection,
    "http": described_clevertap,
    "http:braze": described_braze,
    "http:iterable": described_iterable,
    "insider": insider_connection,
    "iterable": iterable_connection,
    "klaviyo": klaviyo_connection,
    "customerio": customerio_connection,
    "mailchimp": mailchimp_connection,
    "moengage": moengage_connection,
    "onesignal": onesignal_connection,
    "sandbox": sandbox_connection,
    "segment": segment_connection,
}
BEHIND: dict[str, str] = {
    "sandbox": "braze", "http": "clevertap", "http:braze": "braze", "http:iterable": "iterable",
}  # fmt: skip
# What the tool behind a line cannot do, though its connector can.
CANNOT: dict[str, set[str]] = {
    "http": {Ability.IDENTITY},
    "http:iterable": {Ability.IDENTITY, Ability.SEGMENTS, Ability.TRIGGER},
    "mailchimp": {"long-texts"},
}
READERS: dict[str, Reader] = {"files": read_files}
FORMS: dict[str, Callable[[Any], Any]] = {
    "blueshift": plain, "brevo": plain, "mailchimp": merge_value, "onesignal": tag,
}  # fmt: skip
ADDRESSES = Spelling(address_of, customer_at)
SPELLINGS: dict[str, Spelling] = {"brevo": ADDRESSES, "mailchimp": ADDRESSES}
# A trigger of these carries a key by which the tool knows it again: a lost answer is asked for.
KEYED_TRIGGERS = {"onesignal"}
# Their answer to a trigger says whom they refused while the others got it.
TELLING_TRIGGERS = {"braze", "http", "sandbox"}


def connector_of(name: str) -> str:
    """The registry's name of a line of DOUBLES."""
    return name.partition(":")[0]


def traits(name: str) -> set[str]:
    """What scenarios may ask of a connector beside its abilities.

    ``http``: speaks to a tool. ``batches``: takes several records a request. ``tells-rate``: the
    tool says how many requests are left. ``slow``: it takes few enough requests that a test can
    fill a window. ``trigger-once``: a trigger whose answer was lost must not be repeated.
    ``tells-recipients``: its answer says that some were refused while others got it.
    ``long-texts``: an attribute may hold 300 characters.
    """
    if connector_of(name) in READERS:
        return {"batches"}
    if Ability.ATTRIBUTES not in REGISTRY[connector_of(name)].abilities:
        return set()  # it only tells
    shown = TOOLS.get(BEHIND.get(name, name))
    found = {"http", "long-texts"} | (set() if name in KEYED_TRIGGERS else {"trigger-once"})
    if shown is None or shown.rate_headers.remaining:
        found.add("tells-rate")

    if name in TELLING_TRIGGERS:
        found.add("tells-recipients")
    with pytest.MonkeyPatch.context() as patch:
        tool = REGISTRY[connector_of(name)].open(DOUBLES[name]("http://127.0.0.1:1", patch))
        target = tool.attributes()
        tool.close()
    if target.limits.items > 1:
        found.add("batches")
    if target.windows and min(window.requests for window in target.windows) <= SLOW_REQUESTS:
        found.add("slow")
    return found
