from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import SNIPPETS
from rightsend import cli
from tests.rightsend import shop

LIST = """\
connections:
  - name: crm
    type: sandbox
    attributes:
      - {name: likely, score: purchase_probability}
      - {name: my_list, score: top_items}
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    config = shop.write(tmp_path / "shop", more=f"locale: ko\n{LIST}")
    where = ["--config", str(config), "--state", str(tmp_path / "state")]
    return lambda *words: cli.run(["snippet", *words, *where])


@pytest.mark.parametrize("tool", SNIPPETS)
def test_a_template_of_each_tool_is_printed_in_the_workspaces_language(
    tool: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tool, "for-you") == 0
    printed = capsys.readouterr().out
    assert "고객님을 위한 추천" in printed
    assert "http://127.0.0.1:8000/v1/content/for-you" in printed


def test_options_reach_the_template(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--item", "{{event_properties.${item_id}}}", "--campaign", "봄", "--limit", "5",
             "--address", "https://crm.example", "--locale", "en", "--text", "--retry",
             "--otherwise", "New this week"]  # fmt: skip
    assert run("braze", "related", *words) == 0
    printed = capsys.readouterr().out
    assert (
        "https://crm.example/v1/content/related?customer={{${user_id} | url_param_escape}}"
        "&item={{event_properties.${item_id} | url_param_escape}}&campaign=%EB%B4%84&limit=5"
    ) in printed
    assert ":retry" in printed
    assert "{% else %}New this week{% endif %}" in printed
    assert "<li>" not in printed


def test_a_connection_may_be_named_and_a_program_reads_json(
    run: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("crm", "landing", "--json", "--output", str(tmp_path / "out.json")) == 0
    assert capsys.readouterr().out == ""
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["feed"] is None
    assert document["template"].startswith("{% comment %}")
    assert run("clevertap", "landing", "--json") == 0
    assert json.loads(capsys.readouterr().out)["feed"]["parameters"]["limit"] == "1"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["telex", "for-you"], "telex is neither a connection of workspace shop nor a tool"),
        (["braze", "related"], "related needs an item"),
        (["clevertap", "for-you", "--retry"], "retry: a template of CleverTap"),
        (["braze", "for-you", "--address", "nowhere"], "address: found 'nowhere'"),
        (["braze", "coupons"], "'coupons' is not one of"),
    ],
)
def test_bad_input_what_cannot_be_printed_is_one_sentence(
    words: list[str], problem: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) != 0
    assert problem in capsys.readouterr().err
