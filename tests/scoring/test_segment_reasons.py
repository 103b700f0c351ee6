"""Each member tells why, in the workspace's language, of the target that was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.reasons.reason import CODES
from scoring.segment_request import SizeRule, Target
from tests import nightly_shop as shop
from tests.nights import Night
from tests.segments import TEA, Rows, asked, names, result

BEST = SizeRule(count=15)


def members(night: Night, target: Target = TEA, *, locale: str = "en", **options) -> Rows:
    request = asked(target, BEST, **options)
    workspace = replace(night.workspace, locale=locale)
    return result(night, request, workspace=workspace).members.to_pylist()


def test_the_best_are_told_what_they_bought(night) -> None:
    rows = members(night)
    told = [row["reasons"] for row in rows]
    assert sum("Bought" in text and "this category" in text for text in told) >= 8
    assert all(len(text.split("; ")) <= 3 for text in told)


def test_korean_reasons(night) -> None:
    english, korean = members(night), members(night, locale="ko")
    assert names(english) == names(korean)
    assert any("이 카테고리" in row["reasons"] for row in korean)
    assert not any("Bought" in row["reasons"] for row in korean)
    assert [row["reason_codes"] for row in english] == [row["reason_codes"] for row in korean]


def test_a_reason_is_true(night) -> None:
    """Who is told to have bought it did."""
    buyers = night.bought("tea", since=shop.FIRST_DAY)
    for row in members(night):
        if "bought" in row["reason_codes"].split("; "):
            assert row["customer_id"] in buyers


def test_codes_are_those_of_the_sentences(night) -> None:
    for row in members(night):
        codes = [code for code in row["reason_codes"].split("; ") if code]
        assert set(codes) <= set(CODES)
        assert len(codes) == len([text for text in row["reasons"].split("; ") if text])


@pytest.mark.parametrize("match", ["any", "all"])
def test_several_targets_are_told_as_a_group(night, match) -> None:
    target = Target(categories=("tea",), items=("coffee-1", "coffee-2"), match=match)
    told = " ".join(row["reasons"] for row in members(night, target))
    assert "one of these products" in told
    assert "this category" not in told


def test_of_all_the_reason_is_the_part_that_speaks_most(night) -> None:
    target = Target(categories=("tea", "bread"), match="all")
    buyers = night.bought("tea", since=shop.FIRST_DAY) | night.bought("bread", since=shop.FIRST_DAY)
    rows = members(night, target)
    told = [row for row in rows if "bought" in row["reason_codes"].split("; ")]
    assert told and {row["customer_id"] for row in told} <= buyers


def test_reasons_of_an_item_and_of_clicks(night) -> None:
    assert any("it" in row["reasons"] for row in members(night, Target(items=("tea-1",))))
    clicked = members(night, goal="click")
    assert len(clicked) == 15


def test_reasons_are_the_same_each_time(night) -> None:
    assert members(night) == members(night)


def test_bad_input_a_language_without_reasons_reads_english(night) -> None:
    assert members(night, locale="fr") == members(night)


def test_bad_input_nobody_has_no_reasons(night) -> None:
    nobody = asked(size=SizeRule(minimum_probability=1.0))
    found = result(night, nobody).members
    assert found.num_rows == 0
    assert {"reasons", "reason_codes"} <= set(found.column_names)
