"""Files that are no configuration at all: one clear problem each; and how scalars are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings.load import SettingsError, load
from settings.yaml_file import MAX_FILE_BYTES, read
from tests.settings.conftest import SCHEMAS, Folder, complete

BROKEN: dict[str, tuple[str | bytes, int | None, str]] = {
    "empty": ("", 1, "an empty file"),
    "comment only": ("# nothing\n", 1, "an empty file"),
    "a list": ("- workspace: shop", 1, "a list"),
    "a word": ("shop", 1, "a single value"),
    "not utf-8": (b"workspace: shop\nlocale: \xb0\xa1", 2, "the byte 0xb0, which is not UTF-8"),
    "utf-16": ("workspace: shop".encode("utf-16"), 1, "the byte 0xff, which is not UTF-8"),
    "a tab": ("web:\n\tport: 1", 2, "a tab character"),
    "two documents": ("workspace: a\n---\nworkspace: b", 2, "a second document (---)"),
    "unclosed": ("workspaces: [a, b", 1, "broken YAML"),
    "bad indent": ("a: 1\n  b: 2", 2, "broken YAML"),
    "a NUL": ("workspace: \0", None, "broken YAML"),
    "too deep": ("[" * 5000, None, "lists or mappings nested too deeply"),
    "too large": (b"#" * (MAX_FILE_BYTES + 1), None, "more than 2000000 bytes"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_file_is_one_clear_problem(folder: Folder, case: str) -> None:
    text, line, found = BROKEN[case]
    (problem,) = folder.problems(text)
    assert problem.found.startswith(found)
    if case != "unclosed":
        assert problem.line == line


def test_bad_input_missing_file(folder: Folder) -> None:
    with pytest.raises(SettingsError) as raised:
        load(folder.path / "nowhere.yaml", connection_schemas=SCHEMAS)
    assert str(raised.value) == (
        f"{folder.path}/nowhere.yaml: found no such file, expected a YAML file in UTF-8"
    )


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_bad_input_file_names(folder: Folder, name: str) -> None:
    with pytest.raises(SettingsError):
        load(folder.path / name, connection_schemas=SCHEMAS)


def test_bad_input_a_key_twice_names_both_lines(folder: Folder) -> None:
    problem = folder.problem("locale: en\ncurrency: USD\nlocale: ko")
    assert (problem.line, problem.key) == (3, "locale")
    assert problem.found == "the key a second time"
    assert problem.expected == "it once (first in line 1)"


def test_bad_input_a_billion_laughs_end_early(folder: Folder) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    (problem,) = folder.problems("\n".join(lines))
    assert problem.found == "more values, counting aliases"


def test_bad_input_an_alias_of_itself(folder: Folder) -> None:
    problems = folder.problems("workspaces: &a [*a]")
    assert problems[0].found == "an alias of itself"


@pytest.mark.parametrize(
    "value", ["!!python/object:os.system x", "!secret x", "!!binary x", "!!set {a}", "!!int x"]
)
def test_bad_input_tags_run_nothing(folder: Folder, value: str) -> None:
    problem = folder.problem(f"locale: {value}")
    assert (problem.line, problem.key) == (1, "locale")


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}", '"\\0"'])
def test_bad_input_keys_that_are_no_words(folder: Folder, key: str) -> None:
    problem = folder.problem(f"? {key}\n: 1")
    assert (problem.line, problem.found) == (1, "another key")


@pytest.mark.parametrize("text", ['"a\\0b"', '"\\ud800"'])
def test_bad_input_text_that_no_file_name_can_hold(folder: Folder, text: str) -> None:
    problem = folder.problem(f"locale: {text}")
    assert (problem.line, problem.key) == (1, "locale")


def test_bad_input_broken_yaml_shows_no_part_of_a_secret(folder: Folder) -> None:
    for text in ("api_key: *hunter2", "api_key: !hunter2! x", 'api_key: "hunter2', "k: %hunter2"):
        assert "hunter2" not in "".join(map(str, folder.problems(text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("007", "007"),
        ("12:30", "12:30"),
        ("2017-12-04", "2017-12-04"),
        ("1_000", "1_000"),
        ("9" * 30, "9" * 30),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_follow_the_core_schema(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"key: {text}\n")
    document = read(file, {})
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)
    assert document.problems == []


def test_keys_are_text_as_written(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("{1: a, true: b, no: c, 2017-01-01: d}")
    assert read(file, {}).data == {"1": "a", "true": "b", "no": "c", "2017-01-01": "d"}


def test_a_byte_order_mark_and_dos_line_ends_do_no_harm(folder: Folder) -> None:
    text = complete("workspace: shop\nlocale: fr").replace("\n", "\r\n")
    (problem,) = folder.problems(b"\xef\xbb\xbf" + text.encode())
    assert problem.line == 2


def test_an_alias_repeats_a_value(folder: Folder) -> None:
    workspace = folder.workspace("locale: &l ko\nlanding: {title: {ko: *l}}")
    assert workspace.landing.title["ko"] == "ko"


def test_lines_are_counted_as_editors_count_them(folder: Folder) -> None:
    problem = folder.problem("currency: 'U\u2028\u0085S'\nlocale: en")
    assert (problem.line, problem.key) == (1, "currency")
    problem = folder.problem("currency: USD  # \u2028 \u0085\nlocale: fr")
    assert (problem.line, problem.key) == (2, "locale")
