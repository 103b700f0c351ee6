"""``${NAME}`` and ``${file:NAME}``: what they become, and that nothing of them leaks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.interpolation import MAX_SECRET_BYTES, ReferenceFailedError, interpolate
from tests.settings.conftest import Folder, complete

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "1"),
        ("x${A}y${B}z", "x1ytwoz"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A", "$A"),
        ("{A} $ {A}", "{A} $ {A}"),
        ("${EMPTY}", ""),
        ("${NESTED}", "${A}"),
    ],
)
def test_references_are_replaced_once(text: str, result: str, tmp_path: Path) -> None:
    environ = {"A": "1", "B": "two", "EMPTY": "", "NESTED": "${A}"}
    assert interpolate(text, tmp_path, environ)[0] == result


def test_a_file_loses_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\r\n")
    assert interpolate("a ${file:key}", tmp_path, {}) == (f"a {SECRET}", ("${file:key}",))


def test_a_file_may_stand_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    elsewhere = tmp_path / "conf"
    assert interpolate(f"${{file:{tmp_path}/key}}", elsewhere, {})[0] == SECRET


def test_secrets_files_are_relative_to_the_file_that_names_them(folder: Folder) -> None:
    folder.write("clients/key", SECRET)
    folder.write(
        "clients/shop.yaml",
        """
        workspace: shop
        sources:
        - name: orders
          type: file
          table: items
          path: x
          columns: {item_id: id}
        connections: [{name: p, type: pigeon, loft: north, api_key: '${file:key}'}]
        """,
    )
    settings = folder.load("workspaces: [clients/shop.yaml]")
    assert settings.workspaces["shop"].connections[0].options["api_key"] == SECRET


@pytest.mark.parametrize(
    "text", ["${}", "${A", "${A B}", "${1A}", "${A-}", "${a.b}", "${file:}", "${${A}}"]
)
def test_bad_input_references_that_are_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(ReferenceFailedError):
        interpolate(text, tmp_path, {"A": "1"})


def test_bad_input_missing_variable_names_file_line_and_key(folder: Folder) -> None:
    text = "connections:\n- name: p\n  type: pigeon\n  loft: north\n  api_key: ${PIGEON_KEY}"
    problem = folder.problem(text)
    assert problem.file == str(folder.path / "rightsend.yaml")
    assert (problem.line, problem.key) == (5, "connections[0].api_key")
    assert problem.found == "${PIGEON_KEY}, which is not set"


def test_bad_input_every_missing_variable_is_named(folder: Folder) -> None:
    problems = folder.problems("redis_url: redis://${A}:${B}@host\nworkspaces: ['${C}']")
    assert [each.found for each in problems] == [
        "${A}, which is not set",
        "${B}, which is not set",
        "${C}, which is not set",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "which does not exist"),
        (b"\xff\xfe", "which is not UTF-8"),
        (b"x" * (MAX_SECRET_BYTES + 1), "which is larger"),
    ],
)
def test_bad_input_secret_files(folder: Folder, content: bytes | None, reason: str) -> None:
    if content is not None:
        folder.write("key", content)
    problem = folder.problem("locale: ${file:key}")
    assert problem.found == f"${{file:key}}, {reason}"
    assert str(folder.path / "key") in problem.expected


def test_bad_input_a_secret_file_that_is_a_folder(folder: Folder) -> None:
    (folder.path / "key").mkdir()
    assert "cannot be read" in folder.problem("locale: ${file:key}").found


@pytest.mark.parametrize(
    "text",
    [
        "locale: ${S}",
        "timezone: ${S}",
        "currency: ${S}",
        "as_of: ${S}",
        "keep_snapshots: ${S}",
        "landing: {accent_color: '${S}', title: '${S}'}",
        "landing: {title: {fr: '${S}'}}",
        "schedule: {nightly: '${S}'}",
        "models: {seed: '${S}'}",
        "models: '${S}'",
        "connections: ['${S}']",
        "connections: [{name: p, type: '${S}'}]",
        "connections: [{name: p, type: pigeon, loft: '${S}', api_key: abcdefgh}]",
        f"connections: [{{name: p, type: pigeon, loft: north, api_key: {SECRET[:7]}}}]",
        f"connections: [{{name: p, type: pigeon, loft: north, api_key: [{SECRET}]}}]",
        f"connections: [{{name: p, type: pigeon, loft: north, api_kye: {SECRET}}}]",
        f"connections: [{{name: p, type: pigeon, loft: north, timeout_s: x, api_key: {SECRET}}}]",
        f"sources: [{{name: x, type: ibis, table: items, url: {SECRET}, columns: {{item_id: i}}}}]",
        "sources: [{name: x, type: file, path: p, table: '${S}', columns: {item_id: i}}]",
        "sources: [{name: x, type: file, path: p, table: events, columns: "
        "{event_type: {value: '${S}'}}}]",
    ],
)
def test_bad_input_secrets_are_in_no_problem(folder: Folder, text: str) -> None:
    problems = folder.problems(complete(text), environ={"S": SECRET})
    assert SECRET[:7] not in "".join(map(str, problems))
    assert SECRET[:7] not in repr(problems)


@pytest.mark.parametrize("url", [SECRET, f"http://:{SECRET}@host", f"redis:{SECRET}", 5])
def test_bad_input_redis_urls_are_not_shown(folder: Folder, url: str | int) -> None:
    problems = folder.problems(f"redis_url: {url}\nworkspaces: [x]\nsecret: {SECRET[:8]}")
    assert [each.key for each in problems] == ["redis_url", "workspaces[0]", "secret"]
    assert SECRET[:7] not in "".join(map(str, problems))
    assert problems[0].found == "a value that is not shown"


def test_a_hidden_value_is_told_by_its_reference(folder: Folder) -> None:
    problem = folder.problem("locale: ${S}", environ={"S": SECRET})
    assert problem.found == "a value that is not shown, from ${S}"


@given(st.text(alphabet="${}:AfileB \n", max_size=30))
def test_any_text_gives_text_or_a_complaint(text: str) -> None:
    folder = Path("/nonexistent")
    try:
        result, references = interpolate(text, folder, {"A": SECRET, "B": ""})
    except ReferenceFailedError as error:
        assert SECRET not in str(error)
    else:
        assert (SECRET in result) == ("${A}" in references)


def test_bad_input_a_secret_pipe_is_refused_instead_of_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.path / "key")
    assert folder.problem("locale: ${file:key}").found == "${file:key}, which is no file"
