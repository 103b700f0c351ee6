from __future__ import annotations

from base64 import b64encode
from typing import Any

import marshmallow
import pytest

from connectors.blueshift.connector import open_blueshift
from connectors.blueshift.options import HOSTS, BlueshiftOptions
from settings.workspace import ConnectionSettings

GOOD = {"region": "eu", "user_api_key": "s3cret"}


def test_good_options_load() -> None:
    assert BlueshiftOptions().load(GOOD)["timeout_s"] == 30.0


@pytest.mark.parametrize(
    ("change", "key"),
    [({"region": "evil.example/"}, "region"), ({"region": ""}, "region"),
     ({"user_api_key": ""}, "user_api_key"), ({"user_api_key": "s\n"}, "user_api_key"),
     ({"timeout_s": 0}, "timeout_s"), ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        BlueshiftOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_each_host_is_blueshifts_own_over_tls() -> None:
    for url in HOSTS.values():
        assert url.startswith("https://")
        assert url.endswith(".getblueshift.com")


def test_an_open_connection_shows_and_repeats_no_secret() -> None:
    options = BlueshiftOptions().load(GOOD)
    tool = open_blueshift(ConnectionSettings("crm", "blueshift", (), options))
    basic = b64encode(b"s3cret:").decode()
    assert tool.client.headers == {"Authorization": f"Basic {basic}"}
    assert "s3cret" not in repr(tool)
    assert basic not in repr(tool)
    assert tool.client.reason(f"{basic} s3cret stays") == "[secret] [secret] stays"
    tool.close()
