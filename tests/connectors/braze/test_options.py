from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.braze.connector import open_braze
from connectors.braze.hosts import INSTANCES
from connectors.braze.options import BrazeOptions
from connectors.errors import Stop
from settings.workspace import ConnectionSettings

GOOD = {"instance": "iad-01", "api_key": "k"}
PARTNER = {"partner_name": "shop", "partner_api_key": "a", "partner_client_secret": "b"}


@pytest.mark.parametrize("options", [GOOD, {**GOOD, **PARTNER}, {**GOOD, "timeout_s": 5}])
def test_good_options_load_with_defaults(options: dict[str, Any]) -> None:
    loaded = BrazeOptions().load(options)
    assert loaded["update_existing_only"] is True


@pytest.mark.parametrize(
    ("change", "key"),
    [({"instance": "evil.example.com"}, "instance"), ({"instance": None}, "instance"),
     ({"api_key": ""}, "api_key"), ({"apikey": "k"}, "apikey"), ({"timeout_s": 0}, "timeout_s"),
     ({"api_key": "k\n"}, "api_key"), ({"api_key": "k\r\nX: 1"}, "api_key"),
     ({"api_key": "가"}, "api_key"), ({"partner_name": "shop"}, "partner_api_key"),
     ({**PARTNER, "partner_name": "../users"}, "partner_name"),
     ({"url": "http://elsewhere"}, "url"), ({"catalog": "a b"}, "catalog"),
     ({"catalog_fields": ["margin"]}, "catalog_fields"), ({"catalog_fields": []}, "catalog_fields"),
     ({"segments_as": "list"}, "segments_as"), ({"attributes_as": "cdi"}, "cdi_folder"),
     ({"identify_aliases": {"external_id": "x"}}, "identify_aliases"),
     ({"identify_aliases": {"alias": ""}}, "identify_aliases"),
     ({"export_hosts": ["https://x"]}, "export_hosts")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        BrazeOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_all_instances_are_brazes_own_hosts_over_tls() -> None:
    for name, url in INSTANCES.items():
        assert url in (f"https://rest.{name}.braze.com", f"https://rest.{name}.braze.eu")


def test_bad_input_an_instance_off_the_list_is_never_called() -> None:
    connection = ConnectionSettings("crm", "braze", (), {**GOOD, "instance": "evil"})
    with pytest.raises(Stop, match="no instance 'evil'"):
        open_braze(connection)


def test_pushing_without_partner_options_says_which_are_needed() -> None:
    braze = open_braze(ConnectionSettings("crm", "braze", (), GOOD))
    with pytest.raises(Stop, match="partner_client_secret, or segments_as: attribute"):
        braze.segment("s")
    braze.close()
