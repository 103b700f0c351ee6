from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.onesignal.connector import open_onesignal
from connectors.onesignal.hosts import HOSTS
from connectors.onesignal.options import OneSignalOptions
from settings.workspace import ConnectionSettings

GOOD = {"app_id": "11111111-2222-3333-4444-555555555555", "api_key": "k"}


def test_good_options_load_with_defaults() -> None:
    loaded = OneSignalOptions().load(GOOD)
    assert (loaded["trigger_channel"], loaded["timeout_s"]) == ("push", 30.0)


@pytest.mark.parametrize(
    ("change", "key"),
    [({"app_id": "../users"}, "app_id"), ({"app_id": ""}, "app_id"), ({"api_key": ""}, "api_key"),
     ({"api_key": "k\n"}, "api_key"), ({"trigger_channel": "fax"}, "trigger_channel"),
     ({"webhook_token": ""}, "webhook_token"), ({"timeout_s": 0}, "timeout_s"),
     ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        OneSignalOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_the_host_is_onesignals_own_over_tls() -> None:
    assert set(HOSTS.values()) == {"https://api.onesignal.com"}


def test_an_open_connection_shows_no_key() -> None:
    options = {**GOOD, "api_key": "app-key"}
    tool = open_onesignal(ConnectionSettings("crm", "onesignal", (), options))
    assert "app-key" not in repr(tool)
    tool.close()
