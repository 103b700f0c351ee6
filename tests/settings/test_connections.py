"""Connections: common keys beside the options of the connector, validated by its own schema."""

from __future__ import annotations

import pytest

from settings.load import load
from settings.workspace import AttributeSettings, ConnectionSettings
from tests.settings.conftest import Folder, complete

PIGEON = "name: p, type: pigeon, loft: north, api_key: abcdefgh"


def attribute(text: str) -> str:
    return f"connections:\n- {{{PIGEON},\n   attributes: [{{{text}}}]}}"


def test_a_flat_entry_becomes_common_keys_and_options(folder: Folder) -> None:
    text = f"connections: [{{{PIGEON}, attributes: [{{name: a, score: top_items, length: 3}}]}}]"
    assert folder.workspace(text).connections == (
        ConnectionSettings(
            name="p",
            type="pigeon",
            attributes=(AttributeSettings("a", "top_items", None, 3),),
            options={"loft": "north", "api_key": "abcdefgh", "timeout_s": 30.0},
        ),
    )


def test_a_removed_connector_takes_its_type_with_it(folder: Folder) -> None:
    file = folder.write("x.yaml", complete(f"connections: [{{{PIGEON}}}]"))
    with pytest.raises(Exception, match="found 'pigeon', expected nothing here"):
        load(file, connection_schemas={}, environ={})


# entry · line · key below connections[0] · found · a part of expected
ENTRIES: list[tuple[str, str, str, str]] = [
    ("name: p, type: pigeons", "type", "'pigeons'", "did you mean pigeon?"),
    ("name: p, type: hawk", "type", "'hawk'", "one of: pigeon"),
    ("name: p, type: 5", "type", "5", "text"),
    ("name: p", "type", "nothing", "a value for type"),
    ("type: pigeon, loft: north, api_key: abcdefgh", "name", "nothing", "a value for name"),
    (f"{PIGEON}, color: grey", "color", "the unknown key 'color'", "one of: api_key, attributes"),
    (f"{PIGEON}, timeout: 1", "timeout", "the unknown key 'timeout'", "did you mean timeout_s?"),
    (f"{PIGEON}, timeout_s: 0", "timeout_s", "0", "greater than or equal to 1"),
    (f"{PIGEON}, timeout_s: x", "timeout_s", "'x'", "a valid number"),
    ("name: p, type: pigeon, api_key: abcdefgh", "loft", "nothing", "a value for loft"),
    ("name: p, type: pigeon, loft: up, api_key: abcdefgh", "loft", "'up'", "one of: north, south"),
    ("name: p, type: pigeon, loft: north, api_key: hunter2", "api_key",
     "a value that is not shown", "… is too short"),
    (f"{PIGEON}, attributes: 5", "attributes", "5", "a valid list"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "key", "found", "expected"), ENTRIES)
def test_bad_input_connection(
    folder: Folder, entry: str, key: str, found: str, expected: str
) -> None:
    problem = folder.problem(f"connections:\n- {{{entry}}}")
    assert (problem.line, problem.key, problem.found) == (2, f"connections[0].{key}", found)
    assert expected in problem.expected


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("score: top_items", "name", "a value for name"),
        ("name: '', score: top_items", "name", "text of 1 to 250"),
        ("name: a", "score", "a value for score"),
        ("name: a, score: best", "score", "purchase_probability"),
        ("name: a, score: top_items, round_to: 0.1", "round_to", "it only for a number"),
        ("name: a, score: best_hour, round_to: 2", "round_to", "it not for an hour of the day"),
        ("name: a, score: purchase_probability, length: 3", "length", "it only for a list"),
        ("name: a, score: best_hour, length: 3", "length", "it only for a list"),
        ("name: a, score: top_items, length: 0", "length", "from 1"),
        ("name: a, score: purchase_probability, round_to: 0", "round_to", "from 0.0001"),
        ("name: a, score: top_items, lenght: 2", "lenght", "did you mean length?"),
    ],
)
def test_bad_input_attribute(folder: Folder, text: str, key: str, expected: str) -> None:
    problem = folder.problem(attribute(text))
    assert (problem.line, problem.key) == (3, f"connections[0].attributes[0].{key}")
    assert expected in problem.expected


def test_bad_input_two_attributes_of_one_name(folder: Folder) -> None:
    problem = folder.problem(attribute("name: a, score: top_items}, {name: a, score: top_brands"))
    assert problem.key == "connections[0].attributes[1].name"


def test_bad_input_two_connections_of_one_name(folder: Folder) -> None:
    problem = folder.problem(f"connections:\n- {{{PIGEON}}}\n- {{{PIGEON}}}")
    assert (problem.line, problem.key) == (3, "connections[1].name")


def test_bad_input_problems_of_common_keys_and_options_come_together(folder: Folder) -> None:
    problems = folder.problems(complete("connections: [{type: pigeon, loft: up, x: 1}]"))
    assert {each.key.partition(".")[2] for each in problems} == {"name", "loft", "api_key", "x"}


def test_bad_input_a_list_of_connections_that_is_none(folder: Folder) -> None:
    assert folder.problem("connections: {a: b}").found == "a mapping"
    assert folder.problem("connections: [braze]").key == "connections[0]"
