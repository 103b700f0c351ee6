"""docs/security.md names every requirement once, and code and tests that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
STANDARD = TEXT[TEXT.index("## OWASP ASVS 5.0") :]
# section: how many requirements of level 1 and 2 it has (OWASP ASVS 5.0.0), where they are not the
# first ones of their section all the same
LEVELS_1_AND_2 = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4,
    "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2,
    "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1,
    "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
REQUIREMENTS = {
    f"{section}.{n}" for section, most in LEVELS_1_AND_2.items() for n in range(1, most + 1)
}
NAMED = sorted(set(re.findall(r"`([\w./]+\.(?:py|toml|txt|cfg)(?:::\w+)?)`", TEXT)))
ROOMS = ("plugin", "connectors", "scoring", "rightsend", "settings")
CODE = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def test_the_standard_has_as_many_requirements_as_it_says():
    assert len(REQUIREMENTS) == 253


def test_each_requirement_is_there_once():
    found = Counter(re.findall(r"(?<![\d.])\d{1,2}\.\d\.\d{1,2}(?![\d.]\d)", STANDARD))
    assert set(found) == REQUIREMENTS
    assert [number for number, times in found.items() if times > 1] == []


def test_each_risk_of_the_top_10_is_there():
    assert re.findall(r"^\| (API\d+) ", TEXT, re.MULTILINE) == [f"API{n}" for n in range(1, 11)]


@pytest.mark.parametrize("name", NAMED)
def test_code_and_tests_that_are_named_exist(name):
    file, _, test = name.partition("::")
    path = ROOT / file
    assert path.is_file(), file
    if test:
        assert f"def {test}(" in path.read_text(), name


@pytest.mark.parametrize("row", re.findall(r"^\| (?:API)?\d.*$", TEXT, re.MULTILINE))
def test_each_row_has_code_and_test_or_is_the_operators(row):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 4
    assert (cells[2] and cells[3]) or "perator" in cells[1] or "constraints.txt" in cells[2]


def test_links_within_the_page_lead_somewhere():
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def calls() -> list[tuple[str, str]]:
    """(file, what is called) of all code, but for hashes that protect nothing by their own word."""
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "usedforsecurity=False" not in ast.unparse(node):
                found.append((str(path.relative_to(ROOT)), ast.unparse(node.func)))
    return found


def test_nothing_runs_text_as_code():
    forbidden = re.compile(
        r"^(eval|exec|compile|os\.(system|popen)|pickle\.\w+|marshal\.\w+|yaml\.(load|unsafe_load))$"
    )
    assert [each for each in calls() if forbidden.match(each[1])] == []
    assert [path for path in CODE if re.search(r"shell\s*=\s*True", path.read_text())] == []
    assert [path for path in CODE if "allow_pickle=True" in path.read_text()] == []


def test_no_broken_hash_function_is_used():
    assert [each for each in calls() if re.search(r"\b(md5|sha1)$", each[1])] == []
