"""Who is one person."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import canonical
from scoring.identity import Identity, resolve
from tests.scoring.shop import event_table

Seen = tuple[str, str, str | None]  # identifier kind, identifier, device


def tables(
    events: Sequence[Seen], records: Sequence[dict[str, object]]
) -> tuple[ibis.Table, ibis.Table]:
    rows = [
        {"event_id": str(i), "identifier_kind": kind, "identifier": who, "device_id": device}
        for i, (kind, who, device) in enumerate(events)
    ]
    people = [
        {**record, "identifiers": json.dumps(record["identifiers"])}
        if isinstance(record.get("identifiers"), dict)
        else record
        for record in records
    ]
    customers = pa.Table.from_pylist(people, schema=canonical.schema("customers"))
    return ibis.memtable(event_table(*rows)), ibis.memtable(customers)


def resolved(events: Sequence[Seen] = (), *records: dict[str, object]) -> Identity:
    return resolve(*tables(events, records))


def people(identity: Identity) -> dict[tuple[str, str], str]:
    return {
        (row["identifier_kind"], row["identifier"]): row["customer_id"]
        for row in identity.identifiers.to_pylist()
    }


def ext(who: str, device: str | None = None) -> Seen:
    return ("external_id", who, device)


def test_nobody() -> None:
    identity = resolved()
    assert (identity.identifiers.num_rows, identity.customers.num_rows) == (0, 0)


def test_an_external_id_is_its_own_customer() -> None:
    identity = resolved([ext("kim"), ext("kim"), ext("lee")])
    assert identity.customers["customer_id"].to_pylist() == ["kim", "lee"]


def test_a_device_belongs_to_who_used_it() -> None:
    found = people(resolved([ext("kim", "d1"), ("device_id", "d1", "d1"), ("alias", "k", "d1")]))
    assert set(found.values()) == {"kim"}


def test_the_unknown_are_called_by_kind_and_smallest_identifier() -> None:
    found = people(resolved([("device_id", "d2", None), ("email_hash", "e", "d2")]))
    assert set(found.values()) == {"device_id:d2"}


def test_a_shared_device_joins_nobody_and_stays_apart() -> None:
    found = people(resolved([ext("kim", "tablet"), ext("lee", "tablet"), ("alias", "x", "tablet")]))
    assert found[("external_id", "kim")] == "kim"
    assert found[("external_id", "lee")] == "lee"
    assert found[("device_id", "tablet")] == "device_id:tablet"
    assert found[("alias", "x")] == "alias:x"


def test_an_unknown_with_the_devices_of_two_people_joins_them_not() -> None:
    found = people(
        resolved([ext("kim", "d1"), ext("lee", "d2"), ("alias", "x", "d1"), ("alias", "x", "d2")])
    )
    assert (found[("device_id", "d1")], found[("device_id", "d2")]) == ("kim", "lee")
    assert found[("alias", "x")] == "alias:x"


def test_a_chain_of_devices_joins_no_two_people() -> None:
    events = [
        ext("kim", "d1"),
        ("device_id", "d1", "d2"),
        ("device_id", "d2", "d3"),
        ext("lee", "d3"),
    ]
    for order in (events, events[::-1]):
        found = people(resolved(order))
        assert found[("external_id", "kim")] == "kim"
        assert found[("external_id", "lee")] == "lee"


def test_hashes_and_aliases_join_external_ids_into_one_person() -> None:
    identity = resolved(
        [ext("zoe", "d1"), ext("kim", "d2")],
        {"customer_id": "zoe", "identifiers": {"email_hash": "e1"}},
        {"customer_id": "kim", "identifiers": {"email_hash": ["e1", "e2"], "phone_hash": "p"}},
    )
    assert set(people(identity).values()) == {"kim"}
    assert identity.customers["customer_id"].to_pylist() == ["kim"]


def test_a_persons_device_shared_by_their_own_two_ids_stays_theirs() -> None:
    found = people(
        resolved(
            [ext("zoe", "d1"), ext("kim", "d1")],
            {"customer_id": "zoe", "identifiers": {"external_id": "kim"}},
        )
    )
    assert set(found.values()) == {"kim"}


def test_profiles_of_one_person_are_laid_together_and_a_refusal_counts() -> None:
    identity = resolved(
        [],
        {
            "customer_id": "b",
            "timezone": "Asia/Seoul",
            "ad_consent": False,
            "attributes": '{"x": 2}',
        },
        {
            "customer_id": "a",
            "ad_consent": True,
            "attributes": '{"x": 1}',
            "identifiers": {"external_id": "b"},
        },
        {"customer_id": "c"},
    )
    first, second = identity.customers.to_pylist()
    assert first == {
        "customer_id": "a", "attributes": '{"x": 1}', "timezone": "Asia/Seoul", "ad_consent": False,
        "night_consent": None,
    }  # fmt: skip
    assert second["customer_id"] == "c"
    assert second["ad_consent"] is None


def test_an_external_id_that_looks_like_an_unknowns_name_is_another_person() -> None:
    found = people(resolved([("alias", "x", None), ext("alias:x"), ext("alias:alias:x")]))
    assert found[("external_id", "alias:x")] == "alias:x"
    assert len(set(found.values())) == 3


@pytest.mark.parametrize(
    "identifiers", [None, "{}", '{"device_id": null}', '{"device_id": []}', '{"device_id": ""}',
                    '{"passport": "1"}']
)  # fmt: skip
def test_bad_input_identifiers_that_say_nothing(identifiers: str | None) -> None:
    identity = resolved([], {"customer_id": "kim", "identifiers": identifiers})
    assert people(identity) == {("external_id", "kim"): "kim"}


NAMES = st.sampled_from(["a", "b", "c", "alias:a"])
SEEN = st.tuples(
    st.sampled_from(["external_id", "device_id", "alias"]), NAMES, st.sampled_from([None, *"abcd"])
)
LINKS = st.dictionaries(
    st.sampled_from(["external_id", "device_id", "email_hash"]),
    st.lists(NAMES, max_size=2),
    max_size=2,
)
RECORDS = st.lists(
    st.fixed_dictionaries({"customer_id": NAMES, "identifiers": LINKS}),
    max_size=3,
    unique_by=lambda record: str(record["customer_id"]),
)


@settings(max_examples=40)
@given(events=st.lists(SEEN, max_size=7), records=RECORDS, data=st.data())
def test_people_are_the_same_in_any_order(
    events: list[Seen], records: list[dict[str, object]], data: st.DataObject
) -> None:
    one = resolved(events, *records)
    shuffled = data.draw(st.permutations(events)), data.draw(st.permutations(records))
    two = resolved(shuffled[0] + shuffled[0], *shuffled[1])
    assert one.identifiers.equals(two.identifiers)
    assert one.customers.equals(two.customers)


@settings(max_examples=40)
@given(events=st.lists(SEEN, max_size=7), records=RECORDS)
def test_every_identifier_has_one_person_and_certain_links_hold(
    events: list[Seen], records: list[dict[str, object]]
) -> None:
    identity = resolved(events, *records)
    found = people(identity)
    assert len(found) == identity.identifiers.num_rows  # each identifier once
    assert identity.customers["customer_id"].to_pylist() == sorted(set(found.values()))
    named = {("device_id", device) for _, _, device in events if device}
    assert set(found) >= {(kind, who) for kind, who, _ in events} | named
    certain = _certain_people(events, records)
    for group in certain:  # transitive: all of a group are one customer
        assert len({found[member] for member in group}) == 1
    # devices never join two people with external ids
    externals: dict[str, set[int]] = defaultdict(set)
    for number, group in enumerate(certain):
        for kind, who in group:
            if kind == "external_id":
                externals[found[(kind, who)]].add(number)
    assert all(len(groups) == 1 for groups in externals.values())


def _certain_people(
    events: Sequence[Seen], records: Sequence[dict[str, object]]
) -> list[set[tuple[str, str]]]:
    """Groups joined by anything but devices, the slow and plain way."""
    groups = [{(kind, who)} for kind, who, _ in events]
    for record in records:
        own = ("external_id", str(record["customer_id"]))
        groups.append({own})
        links: dict[str, list[str]] = record["identifiers"]  # type: ignore[assignment]
        groups += [
            {own, (kind, who)}
            for kind, all_ in links.items()
            if kind != "device_id"
            for who in all_
        ]
    joined: list[set[tuple[str, str]]] = []
    for group in groups:
        for other in [other for other in joined if other & group]:
            joined.remove(other)
            group = group | other
        joined.append(group)
    return joined


def hash_of(text: str) -> bytes:
    return text.encode().ljust(12, b"\0")


def by_hash(who: str) -> Seen:
    return ("customer_hash", hash_of(who).hex(), None)


def test_a_landing_pages_hash_leads_to_whom_it_was_made_of() -> None:
    events = [ext("kim", "tablet"), ext("kim2", "phone"), by_hash("kim"), by_hash("device_id:pc")]
    device = ("device_id", "pc", None)
    identity = resolve(*tables([*events, device], []), hash_of)
    found = people(identity)
    assert found["customer_hash", hash_of("kim").hex()] == "kim"
    assert found["customer_hash", hash_of("device_id:pc").hex()] == "device_id:pc"
    kinds = identity.identifiers["identifier_kind"].to_pylist()
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("known", [hash_of, None])
def test_a_hash_that_nobody_has_is_nobody(known) -> None:
    identity = resolve(*tables([ext("kim"), by_hash("lee")], []), known)
    assert people(identity) == {("external_id", "kim"): "kim"}
    assert identity.customers["customer_id"].to_pylist() == ["kim"]
