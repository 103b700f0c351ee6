"""The options that connectors have in common."""

from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.errors import Stop
from connectors.options import (
    ApiOptions,
    choice_option,
    chosen_host,
    flag_option,
    secret_option,
    text_option,
)
from settings.workspace import ConnectionSettings

HOSTS = {"eu": "https://eu.tool.example", "us": "https://us.tool.example"}


class Options(ApiOptions):
    region = choice_option(HOSTS, "Region")
    channel = choice_option(("push", "sms"), "Channel", default="push")
    account = text_option("a|bc", "Account", error="must be a or bc")
    key = secret_option("Key")
    other_key = secret_option("Another", required=False)
    existing_only = flag_option("Never create", default=True)


GOOD = {"region": "eu", "account": "bc", "key": "k"}


def test_what_is_left_out_has_its_default() -> None:
    left_out = {"channel": "push", "existing_only": True, "timeout_s": 30.0}
    assert Options().load(GOOD) == {**GOOD, **left_out}


@pytest.mark.parametrize("name", ["region", "account", "key"])
def test_bad_input_what_is_needed_is_missed(name: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        Options().load({key: value for key, value in GOOD.items() if key != name})
    assert set(refused.value.messages) == {name}


@pytest.mark.parametrize(
    "change",
    [{"region": "mars"}, {"channel": None}, {"account": "ab"}, {"account": "xbc"},
     {"account": "a\n"}, {"key": ""}, {"key": "k k"}, {"other_key": "é"}, {"existing_only": "?"},
     {"timeout_s": 0}],
)  # fmt: skip
def test_bad_input_a_value_that_does_not_fit_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        Options().load({**GOOD, **change})
    assert set(refused.value.messages) == set(change)


def test_a_secret_is_marked_as_one() -> None:
    fields = Options().fields
    assert [name for name in fields if fields[name].metadata.get("secret")] == ["key", "other_key"]


def test_a_host_is_taken_from_the_table() -> None:
    assert chosen_host(ConnectionSettings("crm", "tool", (), GOOD), "region", HOSTS) == HOSTS["eu"]


def test_bad_input_a_host_that_is_not_in_the_table_stops() -> None:
    connection = ConnectionSettings("crm", "tool", (), {"region": "mars"})
    with pytest.raises(Stop, match="connection crm: there is no region 'mars'"):
        chosen_host(connection, "region", HOSTS)
