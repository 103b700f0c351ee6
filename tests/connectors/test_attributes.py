"""Attributes in a tool that takes fewer than ours, as several connectors write them."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from connectors.attributes import Known, plain
from connectors.errors import Stop


@pytest.mark.parametrize(
    ("value", "theirs"),
    [(None, ""), (True, True), (0.35, 0.35), (7, 7), ("a", "a"), (["a", "b"], "a,b"), ([], "")],
)
def test_each_value_has_a_form_without_lists_and_null(value: Any, theirs: Any) -> None:
    assert plain(value) == theirs


def test_what_the_tool_has_is_asked_for_once_also_by_several_threads() -> None:
    asked: list[str] = []

    def ask() -> list[str]:
        asked.append("again")
        return ["P", "Q"]

    known = Known()
    known.require(set(), ask)
    assert not asked
    threads = [Thread(target=known.require, args=({name}, ask)) for name in "PQPQ"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["again"]


def test_bad_input_what_the_tool_lacks_stops_unless_it_was_added_since() -> None:
    known = Known("merge field")
    with pytest.raises(Stop, match="has no merge field P, R: add it there"):
        known.require({"R", "P", "Q"}, lambda: ["Q"])
    known.require({"P"}, lambda: ["P"])
