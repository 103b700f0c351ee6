"""What a configuration may name is what scoring understands."""

from __future__ import annotations

import pytest

from scoring import canonical, columns
from scoring.sources.registry import SOURCES
from settings.source_schema import TYPE_KEYS
from settings.vocabulary import LIST_SCORES, SCORES, SOURCE_TYPES, TABLES

KINDS = {
    "text": {canonical.ID, canonical.TEXT},
    "number": {canonical.NUMBER, canonical.INTEGER},
    "time": {canonical.TIME},
    "boolean": {canonical.FLAG},
    "json": {canonical.JSON},
    "list": {canonical.LIST},
}


def test_source_types_are_those_that_can_be_opened() -> None:
    assert set(SOURCE_TYPES) == set(SOURCES) == set(TYPE_KEYS)


@pytest.mark.parametrize("table", TABLES)
def test_columns_hold_what_the_lake_holds(table: str) -> None:
    assert canonical.COLUMNS[table] == tuple(TABLES[table])
    for name, column in TABLES[table].items():
        assert canonical.kind(name) in KINDS[column.kind], name


def test_scores_are_those_of_the_scoring_room() -> None:
    assert tuple(SCORES) == columns.ATTRIBUTE_SCORES
    assert set(LIST_SCORES) <= set(SCORES)
