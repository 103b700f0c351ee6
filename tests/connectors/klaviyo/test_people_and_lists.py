"""Merging, erasing and lists against the double."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import Stop
from connectors.http import Timeouts
from connectors.klaviyo import profiles
from connectors.klaviyo.connector import Klaviyo
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import FakeTime


def hold(tool: Klaviyo, **customers: dict[str, Any]) -> None:
    target = tool.attributes()
    target.write("", [target.encode(who, change).body for who, change in customers.items()])


def change(tool: Klaviyo, segment: str, *, add: list[str], remove: list[str]) -> None:
    target = tool.segment(segment)
    for customers, member in ((add, True), (remove, None)):
        records = [target.encode(who, {"member": member}) for who in customers]
        if records:
            target.write(records[0].lane, [record.body for record in records])


def test_a_merge_moves_what_was_known_and_can_be_repeated(tool: Klaviyo, klaviyo: Sandbox) -> None:
    hold(tool, old={"x": 1, "y": 2}, new={"x": 3})
    for _ in range(2):
        tool.merge([("old", "new"), ("nobody", "new")])
    assert klaviyo.held() == {"new": {"x": 3, "y": 2}}


@pytest.mark.parametrize("kind", ["server_error_after", "timeout_after", "reset"])
def test_a_merge_and_an_erasure_whose_answer_was_lost_are_done_once(
    tool: Klaviyo, klaviyo: Sandbox, kind: str
) -> None:
    hold(tool, old={"x": 1}, new={"y": 2}, gone={"z": 3})
    impatient = replace(tool.api.client, timeouts=Timeouts(0.5, 0.5, 1.0))
    api = replace(tool.api, client=impatient)
    klaviyo.fail(kind, path="/api/profile-merge", hang_s=1.0)
    profiles.merge(api, [("old", "new")])
    klaviyo.fail(kind, path="/api/data-privacy", hang_s=1.0)
    profiles.erase(api, ["gone"])
    assert klaviyo.held() == {"new": {"x": 1, "y": 2}}


def test_merging_into_somebody_new_renames(tool: Klaviyo, klaviyo: Sandbox) -> None:
    hold(tool, old={"x": 1}, older={"y": 2})
    tool.merge([("old", "new"), ("older", "new")])
    assert klaviyo.held() == {"new": {"x": 1, "y": 2}}


def test_erasing_deletes_and_can_be_repeated(tool: Klaviyo, klaviyo: Sandbox) -> None:
    hold(tool, **{'a"],b': {"x": 1}, "e": {"x": 1}})
    for _ in range(2):
        tool.erase(['a"],b', "nobody"])
    assert klaviyo.held() == {"e": {"x": 1}}


def test_erasing_many_keeps_to_the_narrow_window(
    tool: Klaviyo, klaviyo: Sandbox, time: FakeTime
) -> None:
    people = {f"c{n:03}": {"x": 1} for n in range(130)}
    hold(tool, **people)
    tool.erase(sorted(people))
    assert klaviyo.held() == {}
    assert 120 <= time.slept_s <= 200


def test_a_list_is_found_among_many_and_keeps_its_members_when_renamed(
    tool: Klaviyo, klaviyo: Sandbox, time: FakeTime
) -> None:
    for n in range(25):
        tool.declare_segment(f"s{n}", f"Segment {n}")
        time.sleep(0.2)
    change(tool, "s17", add=["a", "b", "c"], remove=["b", "nobody"])
    tool.declare_segment("s17", "New name")
    change(tool, "s17", add=["d"], remove=["a"])
    assert klaviyo.members("s17") == ["c", "d"]
    assert klaviyo.members("s1") == klaviyo.members("7") == []


def test_nobody_to_remove_is_no_call(tool: Klaviyo, klaviyo: Sandbox) -> None:
    tool.declare_segment("s", "S")
    change(tool, "s", add=[], remove=["nobody"])
    assert "DELETE" not in {call["method"] for call in klaviyo.calls()}


def test_ids_of_any_length_fit_into_the_question(tool: Klaviyo, klaviyo: Sandbox) -> None:
    long = [f"{n:03}" + "é" * 125 for n in range(120)]
    tool.declare_segment("s", "S")
    change(tool, "s", add=long, remove=long)
    assert klaviyo.members("s") == []


def test_bad_input_a_list_that_is_gone_is_named(tool: Klaviyo) -> None:
    with pytest.raises(Stop, match=r"\(Rightsend gone\)"):
        change(tool, "gone", add=["a"], remove=[])
