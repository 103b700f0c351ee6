"""A service, its workspaces, where paths start, what the caller may override."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from settings.load import SettingsError, load
from settings.workspace import ContentSettings, ModelSettings, WebSettings
from tests.settings.conftest import SCHEMAS, Folder, complete


def workspace_text(name: str = "shop") -> str:
    return complete(f"workspace: {name}")


def test_a_workspace_file_alone_is_a_service_with_defaults(folder: Folder) -> None:
    settings = folder.load(workspace_text())
    assert list(settings.workspaces) == ["shop"]
    assert settings.redis_url == "embedded"
    assert settings.web == WebSettings()
    assert settings.state_dir == folder.path / "state"
    assert settings.file == folder.path / "rightsend.yaml"
    assert settings.workspaces["shop"].file == settings.file


def test_what_a_file_leaves_out_has_the_dataclasses_defaults(folder: Folder) -> None:
    workspace = folder.workspace("models: {horizon_days: 14}")
    assert workspace.models == ModelSettings(horizon_days=14)
    assert workspace.content == ContentSettings()
    assert workspace.as_of is None


def test_channels_are_compared_in_lower_case(folder: Folder) -> None:
    send = folder.workspace("send: {quiet_exempt: [Email, content_card]}").send
    assert send.quiet_exempt == ("email", "content_card")


def test_a_service_reads_the_workspaces_it_names(folder: Folder) -> None:
    folder.write("clients/a.yaml", workspace_text("a"))
    folder.write("clients/b.yaml", workspace_text("b"))
    folder.write("shop.yaml", workspace_text())
    settings = folder.load(
        """
        state_dir: ../state
        redis_url: rediss://:${PASSWORD}@redis:6380/1
        log_level: debug
        web: {port: 9000, workers: 4, public_url: https://reco.example.com/}
        sandbox: {enabled: false}
        workspaces: [shop.yaml, "clients/*.yaml"]
        """,
        environ={"PASSWORD": "pw"},
    )
    assert list(settings.workspaces) == ["shop", "a", "b"]
    assert settings.workspaces["a"].file == folder.path / "clients" / "a.yaml"
    assert settings.state_dir == folder.path.parent / "state"
    assert settings.redis_url == "rediss://:pw@redis:6380/1"
    assert settings.public_url == "https://reco.example.com"
    assert not settings.sandbox.enabled


def test_a_glob_leaves_out_the_service_file_and_repeated_files(folder: Folder) -> None:
    folder.write("shop.yaml", workspace_text())
    settings = folder.load('workspaces: ["*.yaml", shop.yaml]')
    assert list(settings.workspaces) == ["shop"]


def test_the_callers_state_and_port_win_over_the_file(folder: Folder, tmp_path: Path) -> None:
    folder.write("shop.yaml", workspace_text())
    settings = folder.load(
        "state_dir: here\nweb: {port: 9000}\nworkspaces: [shop.yaml]",
        state_dir=tmp_path / "there",
        port=9100,
    )
    assert settings.state_dir == tmp_path / "there"
    assert settings.web.port == 9100
    assert settings.sandbox_port == 9101


def test_a_relative_state_dir_of_the_caller_starts_at_the_working_directory(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder.load(workspace_text(), state_dir=Path("x")).state_dir == tmp_path / "x"


def test_a_service_can_be_loaded_by_a_relative_path(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("rightsend.yaml", workspace_text())
    monkeypatch.chdir(tmp_path)
    settings = load(Path("rightsend.yaml"), connection_schemas=SCHEMAS)
    assert settings.file == tmp_path / "rightsend.yaml"


def test_as_of_becomes_utc(folder: Folder) -> None:
    workspace = folder.workspace("as_of: 2017-12-04T09:00:00+09:00")
    assert workspace.as_of == datetime(2017, 12, 4, tzinfo=UTC)


def test_a_landing_title_in_one_language_keeps_the_others_default(folder: Folder) -> None:
    title = folder.workspace("landing: {title: {en: Fresh}}").landing.title
    assert title == {"en": "Fresh", "ko": "고객님을 위한 추천"}


def test_advertising_goes_out_without_a_look_at_consent_unless_the_file_says_no(
    folder: Folder,
) -> None:
    assert folder.workspace("send: {}").send.when_unknown
    assert not folder.workspace("send: {when_unknown: false}").send.when_unknown


def test_null_switches_a_schedule_off(folder: Folder) -> None:
    assert folder.workspace("schedule: {nightly: null}").schedule.nightly is None


def test_numbers_may_come_from_the_environment(folder: Folder) -> None:
    folder.write("shop.yaml", workspace_text())
    text = "workspaces: [shop.yaml]\nweb: {port: '${PORT}'}\nsandbox: {enabled: '${SANDBOX}'}"
    settings = folder.load(text, environ={"PORT": "8080", "SANDBOX": "false"})
    assert settings.web.port == 8080
    assert settings.sandbox.enabled is False


def test_settings_are_frozen_all_the_way(folder: Folder) -> None:
    workspace = folder.workspace(
        "connections: [{name: p, type: pigeon, loft: north, api_key: abcdefgh}]"
    )
    assert isinstance(workspace.sources, tuple)
    assert isinstance(workspace.connections, tuple)
    with pytest.raises(dataclasses.FrozenInstanceError):
        workspace.locale = "ko"  # type: ignore[misc]


def test_the_representation_of_settings_shows_no_secret(folder: Folder) -> None:
    folder.write(
        "shop.yaml",
        complete("connections: [{name: p, type: pigeon, loft: north, api_key: hunter2-hunter2}]"),
    )
    settings = folder.load(
        "workspaces: [shop.yaml]\nsecret: hunter2-hunter2-x\nredis_url: redis://:hunter2@x"
    )
    assert "hunter2" not in repr(settings)


def test_all_problems_of_all_files_are_told_at_once_in_order(folder: Folder) -> None:
    folder.write("a.yaml", complete("locale: fr\nworkspace: a\ncurrency: euro"))
    folder.write("b.yaml", complete("workspace: b\ntimezone: Mars"))
    problems = folder.problems("log_level: loud\nworkspaces: [a.yaml, b.yaml, c.yaml]")
    assert [(Path(each.file).name, each.line, each.key) for each in problems] == [
        ("a.yaml", 1, "locale"),
        ("a.yaml", 3, "currency"),
        ("b.yaml", 2, "timezone"),
        ("rightsend.yaml", 1, "log_level"),
        ("rightsend.yaml", 2, "workspaces[2]"),
    ]


def test_the_error_reads_as_one_line_a_problem(folder: Folder) -> None:
    with pytest.raises(SettingsError) as raised:
        folder.load(complete("locale: fr\nkeep_snapshots: 0"))
    file = os.fspath(folder.path / "rightsend.yaml")
    assert str(raised.value).splitlines() == [
        f"{file}:1: locale: found 'fr', expected one of: en, ko",
        f"{file}:2: keep_snapshots: found 0, expected a number from 1 to 365",
    ]


def test_bad_input_two_workspaces_of_one_name(folder: Folder) -> None:
    folder.write("a.yaml", workspace_text())
    folder.write("b.yaml", workspace_text())
    (problem,) = folder.problems("workspaces: [a.yaml, b.yaml]")
    assert (Path(problem.file).name, problem.key, problem.found) == ("b.yaml", "workspace", "shop")
    assert "a.yaml" in problem.expected


def test_bad_input_a_glob_without_a_file(folder: Folder) -> None:
    (problem,) = folder.problems('workspaces: ["clients/*.yaml"]')
    assert problem.key == "workspaces[0]"
    assert problem.found == "no file 'clients/*.yaml'"


def test_bad_input_names_from_references_are_not_shown(folder: Folder) -> None:
    environ = {"S": "s3cr3t-value"}
    (problem,) = folder.problems("workspaces: ['${S}']", environ=environ)
    assert problem.found == "no file named by a value that is not shown, from ${S}"
    folder.write("a.yaml", workspace_text("${S}"))
    folder.write("b.yaml", workspace_text("${S}"))
    (problem,) = folder.problems("workspaces: [a.yaml, b.yaml]", environ=environ)
    assert problem.found == "a value that is not shown, from ${S}"
    assert "s3cr3t" not in str(problem)


def test_bad_input_a_workspace_that_is_a_folder(folder: Folder) -> None:
    (folder.path / "shop").mkdir()
    (problem,) = folder.problems("workspaces: [shop]")
    assert "cannot be read" in problem.found


def test_bad_input_a_service_without_workspaces(folder: Folder) -> None:
    (problem,) = folder.problems("workspaces: []")
    assert (problem.key, problem.found) == ("workspaces", "an empty list")
    (problem,) = folder.problems("log_level: info")
    assert (problem.key, problem.found) == ("workspaces", "nothing")


@pytest.mark.parametrize("port", [0, -1, 65536, 65535])
def test_bad_input_a_port_that_leaves_no_room(folder: Folder, port: int) -> None:
    (problem,) = folder.problems(workspace_text(), port=port)
    assert problem.key == ("sandbox.port" if port == 65535 else "web.port")


def test_bad_input_two_servers_on_one_port(folder: Folder) -> None:
    folder.write("shop.yaml", workspace_text())
    (problem,) = folder.problems(
        "workspaces: [shop.yaml]\nweb: {port: 9000}\nsandbox:\n  port: 9000"
    )
    assert (problem.line, problem.key) == (4, "sandbox.port")
