from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.customerio.connector import open_customerio
from connectors.customerio.hosts import APP, TRACK
from connectors.customerio.options import CustomerioOptions
from connectors.errors import Stop
from settings.workspace import ConnectionSettings

GOOD = {"region": "us", "site_id": "a1", "api_key": "k"}


def test_good_options_load_with_defaults() -> None:
    loaded = CustomerioOptions().load(GOOD)
    assert (loaded["update_existing_only"], loaded["timeout_s"]) == (True, 30.0)


@pytest.mark.parametrize(
    ("change", "key"),
    [({"region": "kr"}, "region"), ({"region": None}, "region"), ({"site_id": "a:b"}, "site_id"),
     ({"api_key": ""}, "api_key"), ({"api_key": "k\r\nX: 1"}, "api_key"),
     ({"app_api_key": "가"}, "app_api_key"), ({"webhook_signing_key": ""}, "webhook_signing_key"),
     ({"timeout_s": 0}, "timeout_s"), ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        CustomerioOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_all_hosts_are_customerios_own_over_tls() -> None:
    for host in (*TRACK.values(), *APP.values()):
        assert host.startswith("https://")
        assert host.endswith(".customer.io")


def test_bad_input_a_region_off_the_list_is_never_called() -> None:
    connection = ConnectionSettings("crm", "customerio", (), {**GOOD, "region": "evil"})
    with pytest.raises(Stop, match="no region 'evil'"):
        open_customerio(connection)


def test_an_open_connection_shows_no_key() -> None:
    options = {**GOOD, "api_key": "track-key", "app_api_key": "app-key"}
    tool = open_customerio(ConnectionSettings("crm", "customerio", (), options))
    assert "track-key" not in repr(tool)
    assert "app-key" not in repr(tool)
    tool.close()
