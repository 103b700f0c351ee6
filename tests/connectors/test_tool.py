"""What a connector says of an answer, in the words of delivery."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.customers import AddressTarget, CustomerTarget
from connectors.errors import Retry, Split, Stop, nothing_to_split
from connectors.http import Client
from connectors.rate import Rate
from connectors.tool import HttpTool, Outcome


def test_who_is_refused_is_found_by_index() -> None:
    rate = Rate(remaining=3)
    assert Outcome.refusing([(1, "too long")], 2, rate) == Outcome({1: "too long"}, (), rate)


@pytest.mark.parametrize("index", [None, "1", 1.0, True, -1, 2])
def test_bad_input_an_index_of_no_record_locates_nobody(index: Any) -> None:
    assert Outcome.refusing([(index, "no"), (0, "bad")], 2) == Outcome({0: "bad"}, ("no",))


def test_a_call_without_records_stops_where_it_is_refused() -> None:
    with pytest.raises(Stop, match="no") as stopped, nothing_to_split():
        raise Split("no", status=400, request_id="r1")
    assert (stopped.value.status, stopped.value.request_id) == (400, "r1")


def test_a_call_without_records_is_retried_as_any_other() -> None:
    with pytest.raises(Retry), nothing_to_split():
        raise Retry("busy")


def test_only_customers_with_an_external_id_are_addressed() -> None:
    said = [CustomerTarget().addressable(who) for who in ("c1", "", "device_id:d1", "alias:a")]
    assert said == [True, False, False, False]


@pytest.mark.parametrize("who", ["c1", "", "a b@c", "a@b@c", "@", "device_id:a@b.example"])
def test_bad_input_a_tool_that_knows_addresses_knows_nobody_without_one(who: str) -> None:
    assert AddressTarget().addressable("ben+1@shop.example")
    assert not AddressTarget().addressable(who)


def test_a_closed_tool_gives_its_connections_back(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Client] = []

    def noted(client: Client) -> None:
        closed.append(client)

    monkeypatch.setattr(Client, "close", noted)
    client = Client("https://tool.example")
    HttpTool(client).close()
    assert closed == [client]
