"""Who is who, and who is gone."""

from __future__ import annotations

import pytest

from connectors import delivery
from connectors.delivery import Stop, SyncReport
from connectors.registry import open_tool
from tests.connectors.braze.conftest import Braze

LABELS = {"alias": "loyalty_card", "device_id": "device"}


@pytest.fixture
def naming(braze: Braze) -> Braze:
    return braze.having(identify_aliases=LABELS)


def tell(braze: Braze, *links: tuple[str, str, str]) -> SyncReport:
    return delivery.sync_identities(braze.connection, links, **braze.options())


def aliases(braze: Braze, external_id: str) -> list[tuple[str, str]]:
    profile = braze.tool.profile(external_id) or {}
    return [(each["alias_label"], each["alias_name"]) for each in profile.get("user_aliases", [])]


def test_a_new_alias_is_told_once(naming: Braze) -> None:
    link = ("alias", "4711", "c1")
    assert tell(naming, link).accepted == 1
    assert tell(naming, link).requests == 0
    assert aliases(naming, "c1") == [("loyalty_card", "4711")]


def test_only_what_is_new_is_told(naming: Braze) -> None:
    old = [("alias", str(n), f"c{n}") for n in range(70)]
    assert tell(naming, *old).requests == 2
    report = tell(naming, *old, ("device_id", "d:1", "c1"))
    assert (report.changed, report.requests) == (1, 1)
    assert aliases(naming, "c1") == [("loyalty_card", "1"), ("device", "d:1")]


def test_what_has_gone_is_forgotten_without_a_call(naming: Braze) -> None:
    tell(naming, ("alias", "1", "c1"))
    calls = naming.tool.counts()["calls_in"]
    tell(naming)
    assert naming.tool.counts()["calls_in"] == calls
    assert tell(naming).changed == 0


def test_a_refused_link_does_not_cost_the_others(naming: Braze) -> None:
    naming.tool.turn(blocked=["c2"])
    report = tell(naming, *[("alias", str(n), f"c{n}") for n in range(5)])
    assert [len(aliases(naming, f"c{n}")) for n in range(5)] == [1, 1, 0, 1, 1]
    assert sum(report.rejected.values()) == 1


@pytest.mark.parametrize("kind", ["server_error_after", "rate_limited", "reset"])
def test_a_passing_fault_ends_with_everybody_told_once(naming: Braze, kind: str) -> None:
    naming.tool.fail(kind, times=2)
    tell(naming, ("alias", "1", "c1"))
    assert aliases(naming, "c1") == [("loyalty_card", "1")]


def test_merging_twice_is_merging_once(braze: Braze) -> None:
    braze.profiles("old", "new")
    with open_tool(braze.connection) as tool:
        for _ in range(2):
            tool.merge([("old", "new")])
    assert list(braze.tool.held()) == ["new"]


def test_erased_people_are_gone_and_the_others_are_not(braze: Braze) -> None:
    people = [f"c{n:02}" for n in range(60)]
    braze.profiles(*people)
    for _ in range(2):
        gone = delivery.erase_profiles(
            braze.connection, [*people[:55], "device_id:9"], runtime=braze.time.runtime()
        )
    assert gone == 55
    assert list(braze.tool.held()) == people[55:]


def test_erasing_survives_a_passing_fault(braze: Braze) -> None:
    braze.profiles("c1")
    braze.tool.fail("unavailable", times=3)
    delivery.erase_profiles(braze.connection, ["c1"], runtime=braze.time.runtime())
    assert braze.tool.held() == {}


def test_bad_input_a_profile_that_was_not_deleted_is_said(braze: Braze) -> None:
    braze.tool.fail("forbidden")
    with pytest.raises(Stop, match="lacks a permission"):
        delivery.erase_profiles(braze.connection, ["c1"], runtime=braze.time.runtime())
