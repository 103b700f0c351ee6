from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.registry import REGISTRY
from rightsend import cli, manual
from rightsend.demo import CREDENTIAL, TEMPLATE, TEMPLATE_ADDRESS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
KOREAN = (ROOT / "README.ko.md").read_text()


@pytest.mark.parametrize("name", list(manual.pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    found = (ROOT / "docs" / name).read_text()
    assert found == manual.pages()[name], "run `rightsend docs`"


@pytest.mark.parametrize("words", [words for words, _ in manual.walk(cli.cli, "rightsend")][1:])
def test_every_command_has_its_place_in_the_docs(words: str) -> None:
    assert f"## {words}\n" in (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("name", list(REGISTRY))
def test_every_connector_has_its_place_in_the_docs(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("text", [README, KOREAN], ids=["en", "ko"])
def test_a_readme_shows_commands_that_exist(text: str) -> None:
    for command in re.findall(r"(?:^|bin/|`)rightsend ([a-z]+)", text, re.MULTILINE):
        assert command in cli.COMMANDS
    for target in re.findall(r"^make ([a-z]+)", text, re.MULTILINE):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("text", [README, KOREAN], ids=["en", "ko"])
def test_a_readme_links_to_files_that_exist(text: str) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link


def test_the_two_readmes_show_the_same_code() -> None:
    assert _liquid(README)[0].splitlines()[:4] == _liquid(KOREAN)[0].splitlines()[:4]
    assert README.count("```") == KOREAN.count("```")


def test_the_readme_calls_content_as_the_demos_campaign_does() -> None:
    call = re.compile(r"connected_content (\S+)")
    template = TEMPLATE.read_text()
    assert call.findall(_liquid(README)[0]) == call.findall(template)
    assert TEMPLATE_ADDRESS in template
    assert f":basic_auth {CREDENTIAL}" in template


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_the_processes_of_the_procfile_exist(name: str) -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert all(line.split()[2] in cli.COMMANDS for line in lines)
    assert {"web", "worker", "clock"} <= {line.split(":")[0] for line in lines}


def _liquid(text: str) -> list[str]:
    return re.findall(r"```liquid\n(.*?)```", text, re.DOTALL)
