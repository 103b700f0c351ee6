from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.brevo.connector import HOSTS, open_brevo
from connectors.brevo.options import BrevoOptions
from settings.workspace import ConnectionSettings


def test_good_options_load() -> None:
    assert BrevoOptions().load({"api_key": "k"})["timeout_s"] == 30.0


@pytest.mark.parametrize(
    ("change", "key"),
    [({"api_key": ""}, "api_key"), ({"api_key": "k\n"}, "api_key"), ({"timeout_s": 0}, "timeout_s"),
     ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        BrevoOptions().load({"api_key": "k", **change})
    assert key in refused.value.messages


def test_the_host_is_brevos_own_over_tls() -> None:
    assert set(HOSTS.values()) == {"https://api.brevo.com"}


def test_an_open_connection_shows_and_repeats_no_key() -> None:
    options = BrevoOptions().load({"api_key": "s3cret"})
    tool = open_brevo(ConnectionSettings("crm", "brevo", (), options))
    assert "s3cret" not in repr(tool)
    assert tool.client.reason("s3cret") == "[secret]"
    tool.close()
