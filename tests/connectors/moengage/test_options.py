from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.errors import Stop
from connectors.moengage.connector import open_moengage
from connectors.moengage.hosts import DATA_CENTERS
from connectors.moengage.options import MoEngageOptions
from settings.workspace import ConnectionSettings

GOOD = {"data_center": "01", "workspace_id": "W1", "api_key": "k"}


def test_good_options_load_with_defaults() -> None:
    loaded = MoEngageOptions().load(GOOD)
    assert (loaded["update_existing_only"], loaded["partner"]) == (True, "Rightsend")


@pytest.mark.parametrize(
    ("change", "key"),
    [({"data_center": "07"}, "data_center"), ({"data_center": None}, "data_center"),
     ({"workspace_id": "../x"}, "workspace_id"), ({"workspace_id": "a:b"}, "workspace_id"),
     ({"api_key": ""}, "api_key"), ({"api_key": "k\n"}, "api_key"), ({"partner": ""}, "partner"),
     ({"webhook_token": ""}, "webhook_token"), ({"timeout_s": 0}, "timeout_s"),
     ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        MoEngageOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_all_data_centers_are_moengages_own_hosts_over_tls() -> None:
    for number, host in DATA_CENTERS.items():
        assert host == f"https://api-{number}.moengage.com"


def test_bad_input_a_data_center_off_the_list_is_never_called() -> None:
    connection = ConnectionSettings("crm", "moengage", (), {**GOOD, "data_center": "evil"})
    with pytest.raises(Stop, match="no data_center 'evil'"):
        open_moengage(connection)


def test_an_open_connection_shows_no_key() -> None:
    options = {**GOOD, "api_key": "data-key"}
    tool = open_moengage(ConnectionSettings("crm", "moengage", (), options))
    assert "data-key" not in repr(tool)
    tool.close()
