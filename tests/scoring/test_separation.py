"""A device that changes hands: what was done on it stays with whom it belonged to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring import canonical
from scoring.identity import resolve
from scoring.importing import erase
from scoring.lake import Lake
from scoring.score import _aliases
from scoring.separation import Past, past_of
from tests.scoring.shop import event_table

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def event(day: float, **columns: Any) -> dict[str, Any]:
    """An anonymous view on the device d; its id is its day."""
    moment = {"event_id": f"{day:g}", "occurred_at": MARCH + timedelta(days=day)}
    default = {"event_type": "view", "identifier_kind": "device_id", "identifier": "d"}
    return {**moment, **default, **columns}


def known(day: float, customer: str, **columns: Any) -> dict[str, Any]:
    """The customer on the device d."""
    who = {"identifier_kind": "external_id", "identifier": customer, "device_id": "d"}
    return event(day, **{**who, **columns})


def unlink(day: float, **columns: Any) -> dict[str, Any]:
    return event(day, **{"event_type": "unlink", "item_id": None, **columns})


def lake_of(folder: Path, *events: dict[str, Any]) -> Lake:
    lake = Lake(folder / "lake")
    lake.append_events(event_table(*events), batch="test")
    return lake


def owners(lake: Lake, *, before: datetime = LATER) -> dict[str, str]:
    """Event id → whose it is."""
    events = lake.events(before=before)
    found = resolve(events, lake.customers()).identifiers.to_pylist()
    people = {(row["identifier_kind"], row["identifier"]): row["customer_id"] for row in found}
    return {
        row["event_id"]: people[row["identifier_kind"], row["identifier"]]
        for row in events.to_pyarrow().to_pylist()
        if row["event_type"] != "unlink"
    }


def test_without_any_unlink_a_device_is_what_it_was(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, event(1), known(2, "kim"), event(3))
    assert owners(lake) == {"1": "kim", "2": "kim", "3": "kim"}


def test_what_comes_after_an_unlink_is_nobodys_and_what_was_before_stays(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, event(1), known(2, "kim"), unlink(3), event(4))
    assert owners(lake) == {"1": "kim", "2": "kim", "4": "device_id:d"}


def test_the_next_owner_gets_nothing_of_the_former_one(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path, event(1), known(2, "kim"), unlink(3), event(4), known(5, "lee"), event(6)
    )
    assert owners(lake) == {"1": "kim", "2": "kim", "4": "lee", "5": "lee", "6": "lee"}
    assert owners(lake, before=MARCH + timedelta(days=2.5)) == {"1": "kim", "2": "kim"}


def test_a_sign_out_names_both_and_links_neither(tmp_path: Path) -> None:
    sign_out = unlink(3, identifier_kind="external_id", identifier="kim", device_id="d")
    lake = lake_of(tmp_path, known(2, "kim"), sign_out, event(4))
    assert owners(lake) == {"2": "kim", "4": "device_id:d"}


def test_a_part_of_the_time_has_the_same_names(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, event(1), unlink(2), event(3), unlink(4), event(5))
    rows = lake.events(before=LATER).select("event_id", "identifier").to_pyarrow().to_pylist()
    names = {row["event_id"]: row["identifier"] for row in rows}
    part = lake.events(before=LATER, since=MARCH + timedelta(days=2.5))
    for row in part.select("event_id", "identifier").to_pyarrow().to_pylist():
        assert row["identifier"] == names[row["event_id"]]
    assert len({names["1"], names["3"], names["5"]}) == 3
    assert names["5"] == "d"


def test_a_record_does_not_give_a_separated_device_back(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, unlink(3), event(4))
    record = {"customer_id": "kim", "identifiers": '{"device_id": ["d", "e"]}'}
    schema = canonical.schema("customers")
    lake.upsert("customers", pa.Table.from_pylist([record], schema=schema), batch="test")
    assert owners(lake) == {"4": "device_id:d"}
    identity = resolve(lake.events(before=LATER), lake.customers()).identifiers.to_pylist()
    assert {row["identifier"] for row in identity if row["customer_id"] == "kim"} == {"kim", "e"}


def test_former_hands_are_not_published(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, event(1), known(2, "kim"), unlink(3), known(4, "lee"))
    identity = resolve(lake.events(before=LATER), lake.customers())
    assert _aliases(identity.identifiers).to_pylist() == [
        {"identifier_kind": "device_id", "identifier": "d", "customer_id": "lee"}
    ]


def test_erasing_the_former_owner_leaves_the_next_one_everything(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, event(1), known(2, "kim"), unlink(3), event(4), known(5, "lee"))
    found = resolve(lake.events(before=LATER), lake.customers()).identifiers.to_pylist()
    kims = [(r["identifier_kind"], r["identifier"]) for r in found if r["customer_id"] == "kim"]
    assert erase(tmp_path, kims, secret=b"x" * 32) == 2
    assert owners(Lake(lake.folder)) == {"4": "lee", "5": "lee"}
    lake.append_events(event_table(event(9)), batch="test")
    assert owners(Lake(lake.folder))["9"] == "lee"


STEPS = st.lists(st.sampled_from(["", "kim", "lee", "unlink"]), min_size=1, max_size=9)


def expected(steps: Sequence[str]) -> dict[str, str]:
    """Between two unlinks a device is that of the only customer seen on it, else its own."""
    epoch, epochs = 0, []
    seen: defaultdict[int, set[str]] = defaultdict(set)
    for step in steps:
        epoch += step == "unlink"
        epochs.append(epoch)
        if step not in ("", "unlink"):
            seen[epoch].add(step)
    found = {}
    for day, (step, own) in enumerate(zip(steps, epochs, strict=True)):
        if step != "unlink":
            alone = next(iter(seen[own])) if len(seen[own]) == 1 else f"nobody {own}"
            found[str(day)] = step or alone
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps=STEPS)
def test_any_order_of_hands(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    events = [
        event(day) if not step else unlink(day) if step == "unlink" else known(day, step)
        for day, step in enumerate(steps)
    ]
    found = owners(lake_of(tmp_path_factory.mktemp("hands"), *events))
    wanted = expected(steps)
    assert found.keys() == wanted.keys()
    for one in found:
        for other in found:
            assert (found[one] == found[other]) == (wanted[one] == wanted[other])
        if not wanted[one].startswith("nobody"):
            assert found[one] == wanted[one]


@pytest.mark.parametrize("name", ["d", "", "d\x1f", "d\x1f7", "d\x1fx-y", "a-7", "d\x1f5-"])
def test_bad_input_other_identifiers_are_no_former_hands(name: str) -> None:
    assert past_of(name) is None


def test_a_former_hand_is_known_by_its_name() -> None:
    assert past_of("d\x1f5-7") == Past("d", 5, 7)
    assert past_of("d\x1f-5-7") == Past("d", -5, 7)
    first = past_of("d\x1f-7")
    assert first is not None
    assert (first.device, first.until_us) == ("d", 7)
