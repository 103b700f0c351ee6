from __future__ import annotations

from base64 import b64encode
from typing import Any

import marshmallow
import pytest

from connectors.bloomreach.connector import open_bloomreach
from connectors.bloomreach.options import HOSTS, BloomreachOptions
from settings.workspace import ConnectionSettings

GOOD = {"instance": "eu1", "project_token": "a-1", "api_key_id": "k1", "api_secret": "s3cret"}


def test_good_options_load() -> None:
    assert BloomreachOptions().load(GOOD)["timeout_s"] == 30.0


@pytest.mark.parametrize(
    ("change", "key"),
    [({"instance": "evil.example/"}, "instance"), ({"project_token": "../x"}, "project_token"),
     ({"project_token": ""}, "project_token"), ({"api_key_id": "a:b"}, "api_key_id"),
     ({"api_secret": ""}, "api_secret"), ({"api_secret": "s\n"}, "api_secret"),
     ({"timeout_s": 0}, "timeout_s"), ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        BloomreachOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_each_host_is_bloomreachs_own_over_tls() -> None:
    for url in HOSTS.values():
        assert url.startswith("https://")
        assert url.endswith((".exponea.com", ".bloomreach.com"))


def test_an_open_connection_shows_and_repeats_no_secret() -> None:
    options = BloomreachOptions().load(GOOD)
    tool = open_bloomreach(ConnectionSettings("crm", "bloomreach", (), options))
    basic = b64encode(b"k1:s3cret").decode()
    assert "s3cret" not in repr(tool)
    assert basic not in repr(tool)
    assert tool.client.reason(f"{basic} s3cret") == "[secret] [secret]"
    tool.close()
