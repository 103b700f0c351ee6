from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.errors import Stop
from connectors.iterable.connector import open_iterable
from connectors.iterable.hosts import DATA_CENTERS
from connectors.iterable.options import IterableOptions
from settings.workspace import ConnectionSettings


def test_good_options_load_with_defaults() -> None:
    loaded = IterableOptions().load({"api_key": "k"})
    assert (loaded["data_center"], loaded["update_existing_only"]) == ("us", True)


@pytest.mark.parametrize(
    ("change", "key"),
    [({"data_center": "evil.example.com"}, "data_center"), ({"api_key": ""}, "api_key"),
     ({"api_key": "k\r\nX: 1"}, "api_key"), ({"timeout_s": 0}, "timeout_s"),
     ({"url": "http://elsewhere"}, "url"), ({"webhook_token": "a b"}, "webhook_token")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        IterableOptions().load({"api_key": "k", **change})
    assert key in refused.value.messages


def test_the_data_centers_are_iterables_own_hosts_over_tls() -> None:
    assert set(DATA_CENTERS.values()) == {"https://api.iterable.com", "https://api.eu.iterable.com"}


def test_bad_input_a_data_center_off_the_list_is_never_called() -> None:
    connection = ConnectionSettings("crm", "iterable", (), {"data_center": "mars", "api_key": "k"})
    with pytest.raises(Stop, match="no data_center 'mars'"):
        open_iterable(connection)
