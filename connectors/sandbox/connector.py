"""The sandbox messaging tool as a host tool: Braze's protocol at an address of one's own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import marshmallow
from marshmallow import fields

from connectors.braze.connector import Braze, connect
from connectors.braze.options import SharedOptions
from connectors.errors import Stop
from connectors.options import KEY, flag_option
from settings.workspace import ConnectionSettings

PARTNER = "rightsend"  # the partner under which the sandbox takes cohorts


def _usable_address(url: str) -> None:
    """Raises ValidationError for what is no http://host:port."""
    try:
        usable = re.fullmatch(r"https?://[^/\s@?#]+/?", url) and urlsplit(url).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise marshmallow.ValidationError("must look like http://host:port")


class SandboxOptions(SharedOptions):
    """Nothing is needed for the sandbox that ``rightsend up`` starts."""

    url = fields.String(
        load_default=None,
        allow_none=True,
        validate=_usable_address,
        metadata={"description": "Address of the sandbox; default: the one `rightsend up` starts"},
    )
    api_key = fields.String(
        load_default=None,
        allow_none=True,
        validate=KEY,
        metadata={"description": "Its key; default: made by `rightsend up`", "secret": True},
    )
    update_existing_only = flag_option(
        "Write to profiles that exist already; never create one", default=False
    )


def open_sandbox(connection: ConnectionSettings) -> Braze:
    """Raises Stop when nobody said where the sandbox is."""
    options = dict(connection.options)
    url, key = options.get("url"), options.get("api_key")
    if not url or not key:
        raise Stop(f"connection {connection.name}: the options url and api_key are not set")
    # Its exports lie on itself.
    hosts = {"export_hosts": [*options.get("export_hosts", ()), urlsplit(url).hostname]}
    partner = {"partner_name": PARTNER, "partner_api_key": key, "partner_client_secret": key}
    return connect(url.rstrip("/"), {"update_existing_only": False, **options, **partner, **hosts})
