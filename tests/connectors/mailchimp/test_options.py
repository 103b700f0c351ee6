from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.errors import Stop
from connectors.mailchimp.connector import open_mailchimp
from connectors.mailchimp.options import DATA_CENTERS, MailchimpOptions
from settings.workspace import ConnectionSettings

GOOD = {"data_center": "us21", "api_key": "k-us21", "list_id": "a1b2c3d4e5"}


def test_good_options_load_and_write_to_nobody_new() -> None:
    loaded = MailchimpOptions().load(GOOD)
    assert (loaded["update_existing_only"], loaded["timeout_s"]) == (True, 120.0)


@pytest.mark.parametrize(
    ("change", "key"),
    [({"data_center": "us21.evil.example/"}, "data_center"), ({"api_key": ""}, "api_key"),
     ({"api_key": "k\n"}, "api_key"), ({"list_id": "../x"}, "list_id"),
     ({"list_id": ""}, "list_id"),
     ({"timeout_s": 0}, "timeout_s"), ({"url": "http://elsewhere"}, "url")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        MailchimpOptions().load({**GOOD, **change})
    assert key in refused.value.messages


def test_each_host_is_mailchimps_own_over_tls() -> None:
    for name, url in DATA_CENTERS.items():
        assert url == f"https://{name}.api.mailchimp.com/3.0"


def test_an_open_connection_shows_no_key() -> None:
    options = {**MailchimpOptions().load(GOOD), "api_key": "audience-key"}
    tool = open_mailchimp(ConnectionSettings("crm", "mailchimp", (), options))
    assert "audience-key" not in repr(tool)
    tool.close()


def test_bad_input_a_data_center_that_was_not_checked_is_refused() -> None:
    options = {**MailchimpOptions().load(GOOD), "data_center": "evil"}
    with pytest.raises(Stop, match="no data_center 'evil'"):
        open_mailchimp(ConnectionSettings("crm", "mailchimp", (), options))
