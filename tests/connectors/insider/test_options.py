from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.insider.connector import HOSTS, open_insider
from connectors.insider.options import InsiderOptions
from settings.workspace import ConnectionSettings

GOOD = {"partner_name": "shop", "request_token": "s3cret"}


def test_good_options_load() -> None:
    assert InsiderOptions().load(GOOD)["timeout_s"] == 30.0


@pytest.mark.parametrize(
    ("change", "key"),
    [({"partner_name": "Shop"}, "partner_name"), ({"partner_name": ""}, "partner_name"),
     ({"partner_name": "shop\n"}, "partner_name"), ({"request_token": ""}, "request_token"),
     ({"request_token": "s\n"}, "request_token"), ({"timeout_s": 0}, "timeout_s"),
     ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        InsiderOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_the_host_is_insiders_own_over_tls() -> None:
    assert HOSTS == {"only": "https://unification.useinsider.com"}


def test_an_open_connection_shows_and_repeats_no_secret() -> None:
    options = InsiderOptions().load(GOOD)
    tool = open_insider(ConnectionSettings("crm", "insider", (), options))
    assert "s3cret" not in repr(tool)
    assert tool.client.reason("token s3cret") == "token [secret]"
    tool.close()
