from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from rightsend import auditing, cli, manual
from rightsend.auditing import note_configuration
from rightsend.commands import options
from rightsend.context import Context
from rightsend.errors import RightsendError
from tests.rightsend import shop

COMMANDS = list(manual.walk(cli.cli, "rightsend"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shop.write(tmp_path / "shop")


def run(*words: str | Path) -> int:
    return cli.run([str(word) for word in words])


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_command_explains_itself_with_an_example(words, command, capsys) -> None:
    assert run(*words.split()[1:], "--help") == 0
    text = capsys.readouterr().out
    assert "Example:" in text
    assert command.help and len(command.help.splitlines()[0]) > 10


def test_help_lists_every_command(capsys) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in cli.COMMANDS)


def test_bad_input_an_unknown_command_is_one_sentence(capsys) -> None:
    assert run("nigthly") == 2
    assert "No such command 'nigthly'" in capsys.readouterr().err


def test_bad_input_a_configuration_that_is_not_there(capsys, tmp_path: Path) -> None:
    assert run("runs", "list", "--config", tmp_path / "no.yaml") == 1
    error = capsys.readouterr().err
    assert "no such file" in error
    assert "Traceback" not in error


def test_bad_input_a_workspace_that_is_not_there(capsys, config: Path) -> None:
    assert run("runs", "list", "--config", config, "--workspace", "other") == 1
    assert "has no workspace 'other'; there is shop" in capsys.readouterr().err


def test_an_unexpected_failure_is_one_sentence_too(capsys, monkeypatch, config: Path) -> None:
    monkeypatch.setattr("plugin.documents.runs", lambda _: 1 / 0)
    assert run("runs", "list", "--config", config) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in error
    assert "Traceback" not in error


def test_with_debugging_on_an_unexpected_failure_shows_where(monkeypatch, config: Path) -> None:
    monkeypatch.setenv(cli.DEBUG_VARIABLE, "1")
    monkeypatch.setattr("plugin.documents.runs", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("runs", "list", "--config", config)


def test_stopping_a_command_is_no_accident(capsys, monkeypatch, config: Path) -> None:
    def stop(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plugin.documents.runs", stop)
    assert run("runs", "list", "--config", config) == 130
    assert "run it again to go on" in capsys.readouterr().err


def test_fault_a_full_disk_is_told_with_what_to_do() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert cli.sentence_of(full).startswith("No space left on device: make room")


def test_a_failure_of_ours_is_told_in_its_own_words() -> None:
    assert cli.sentence_of(RightsendError("choose another port")) == "choose another port"


def test_fault_what_the_machine_refuses_is_told_without_alarm(capsys, config: Path) -> None:
    assert run("keys", "create", "--scope", "content", "--config", config, "--state", config) == 1
    error = capsys.readouterr().err
    assert error == f"rightsend: {config}: File exists\n" or "Not a directory" in error
    assert "unexpected" not in error


def test_check_says_when_all_is_good(capsys, config: Path) -> None:
    assert run("check", "--config", config) == 0
    assert capsys.readouterr().out == "all good: shop\n"


def test_check_opens_the_sources(capsys, config: Path) -> None:
    (config.parent / "orders.csv").unlink()
    assert run("check", "--config", config) == 1
    line = capsys.readouterr().err
    assert f"{config}:4: sources[0]: found " in line
    assert "orders.csv" in line


def test_check_finds_a_column_that_the_file_lacks(capsys, config: Path) -> None:
    orders = config.parent / "orders.csv"
    orders.write_text(orders.read_text().replace("id,at,customer", "id,at,member", 1))
    assert run("check", "--config", config) == 1
    assert "no column 'customer'" in capsys.readouterr().err


def test_check_opens_connections(capsys, tmp_path: Path) -> None:
    away = (
        "connections:\n  - name: tool\n    type: sandbox\n    url: http://127.0.0.1:1\n"
        "    attributes:\n      - {name: top, score: top_items}\n"
    )
    config = shop.write(tmp_path / "shop", more=away)
    assert run("check", "--config", config, "--json") == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["key"] == "connections[0]"
    assert "tool" in problem["found"]


def test_check_tells_a_program_about_every_problem(capsys, config: Path) -> None:
    config.write_text(config.read_text().replace("type: file", "type: fiel"))
    assert run("check", "--config", config, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert {problem["key"] for problem in answer["problems"]} == {
        "sources[0].type",
        "sources[1].type",
    }


def test_a_key_is_made_listed_and_revoked(capsys, config: Path) -> None:
    assert run("keys", "create", "--config", config, "--scope", "content", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["key"].startswith("rs_shop_")
    assert run("keys", "list", "--config", config) == 0
    listed = capsys.readouterr().out
    assert made["id"] in listed
    assert made["key"] not in listed
    assert run("keys", "revoke", made["id"], "--config", config) == 0
    capsys.readouterr()
    assert run("keys", "list", "--config", config, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"keys": []}


def test_a_key_is_rotated_and_both_stand_in_the_list(capsys, config: Path) -> None:
    run("keys", "create", "--config", config, "--scope", "content", "--json")
    old = json.loads(capsys.readouterr().out)
    assert run("keys", "rotate", old["id"], "--overlap", "12h", "--config", config, "--json") == 0
    new = json.loads(capsys.readouterr().out)
    assert new["key"].startswith("rs_shop_") and new["key"] != old["key"]
    run("keys", "list", "--config", config, "--json")
    listed = {key["id"]: key for key in json.loads(capsys.readouterr().out)["keys"]}
    assert listed[old["id"]]["replaced_by"] == new["id"]
    assert listed[old["id"]]["expires_at"] == new["old_ends_at"]
    assert listed[new["id"]]["expires_at"] is None
    assert listed[new["id"]]["last_used_on"] is None


def test_a_key_that_ends_soon_is_warned_of_and_nothing_fails(capsys, config: Path) -> None:
    scope = ("--config", config, "--scope", "content", "--json")
    run("keys", "create", *scope)
    run("keys", "create", *scope, "--expires", "90d")
    capsys.readouterr()
    run("keys", "create", *scope, "--expires", "13d", "--label", "Braze")
    soon = json.loads(capsys.readouterr().out)["id"]
    assert run("check", "--config", config, "--json") == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert f"key {soon} (Braze) ends at" in warning
    assert f"rightsend keys rotate {soon}" in warning


@pytest.mark.parametrize("span", ["7", "seven days", "-1d", "4000d", ""])
def test_bad_input_a_span_that_is_none(capsys, config: Path, span: str) -> None:
    assert run("keys", "rotate", "deadbeef", "--overlap", span, "--config", config) == 2
    assert "expected 45m, 12h, 7d" in capsys.readouterr().err


def test_bad_input_a_key_that_is_not_there_cannot_be_rotated(capsys, config: Path) -> None:
    assert run("keys", "rotate", "deadbeef", "--config", config) == 1
    assert "no key deadbeef" in capsys.readouterr().err


def test_what_is_done_at_the_command_line_stands_in_the_audit_trail(capsys, config: Path) -> None:
    run("keys", "create", "--config", config, "--scope", "content", "--json")
    key = json.loads(capsys.readouterr().out)["id"]
    run("keys", "revoke", key, "--config", config)
    run("keys", "revoke", key, "--config", config)
    capsys.readouterr()
    assert run("audit", "--config", config, "--json") == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert [(r["act"], r["outcome"]) for r in records] == [
        ("key.revoked", "failed: RightsendError"),
        ("key.revoked", "done"),
        ("key.created", "done"),
    ]
    assert {r["about"].get("key") for r in records} == {key}
    assert all(r["who"].startswith("user:") for r in records)


@pytest.mark.parametrize(
    ("full", "told"),
    [(False, ("info", "audit")), (True, ("error", "audit record not written"))],
)
def test_what_a_job_did_stands_in_its_log_as_well(monkeypatch, config: Path, full, told) -> None:
    context = Context.load(config, config.parent / "state")
    workspace = context.workspace()
    monkeypatch.setattr(auditing, "get_current_job", lambda: SimpleNamespace(id="j1"))
    if full:
        folder = context.workspace_dir(workspace) / "audit"
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("in the way, as a full disk would be")
    with capture_logs() as lines:
        auditing.note(context, workspace, "segment.triggered", "done", {"segment": "s1"})
    (line,) = lines
    assert (line["log_level"], line["event"]) == told
    assert (line["who"], line["act"], "hash" in line) == ("job:j1", "segment.triggered", not full)


def test_the_audit_trail_can_be_checked_against_a_hash_kept_elsewhere(capsys, config: Path) -> None:
    run("keys", "create", "--config", config, "--scope", "content")
    capsys.readouterr()
    assert run("audit", "--verify", "--config", config, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["records"] == 1
    assert run("audit", "--verify", "--expect", found["newest"], "--config", config) == 0
    assert run("audit", "--verify", "--expect", "0" * 64, "--config", config) == 1
    assert "no record has the hash" in capsys.readouterr().err
    assert run("audit", "--expect", "0" * 64, "--config", config) == 2


def test_a_process_notes_a_configuration_that_changed_once(capsys, config: Path) -> None:
    for _ in range(2):
        note_configuration(Context.load(config))
    config.write_text(config.read_text() + "locale: ko\n")
    note_configuration(Context.load(config))
    run("audit", "--config", config, "--json")
    newest, first = json.loads(capsys.readouterr().out)["records"]
    assert newest["act"] == first["act"] == "config.changed"
    assert newest["about"]["was"] == first["about"]["digest"] != newest["about"]["digest"]


def test_bad_input_a_key_that_is_not_there_cannot_be_revoked(capsys, config: Path) -> None:
    assert run("keys", "revoke", "deadbeef", "--config", config) == 1
    assert "has no key deadbeef" in capsys.readouterr().err


def test_bad_input_a_key_needs_a_scope_that_exists(capsys, config: Path) -> None:
    assert run("keys", "create", "--scope", "everything", "--config", config) == 2
    assert "'everything' is not one of" in capsys.readouterr().err


def test_bad_input_a_run_that_is_not_there(capsys, config: Path) -> None:
    assert run("runs", "show", "yesterday", "--config", config) == 1
    assert "there is no run yesterday" in capsys.readouterr().err


def test_bad_input_rolling_back_before_the_first_night(capsys, config: Path) -> None:
    assert run("rollback", "--config", config) == 1
    assert "no earlier snapshot to go back to" in capsys.readouterr().err


def test_importing_again_adds_nothing(capsys, config: Path) -> None:
    assert run("import", "--config", config, "--json") == 0
    first = json.loads(capsys.readouterr().out)["sources"][0]
    assert first["rows_added"] > 500
    assert first["rows_after_now"] > 0
    assert run("import", "--config", config, "--json") == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["rows_added"] == 0


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_imported(
    capsys, config: Path
) -> None:
    (config.parent / "orders.csv").unlink()
    assert run("import", "--config", config) == 1
    captured = capsys.readouterr()
    assert "orders.csv" in captured.err
    assert "products" in captured.out


def test_bad_input_a_source_that_is_not_configured(capsys, config: Path) -> None:
    assert run("import", "--config", config, "--source", "order") == 1
    error = capsys.readouterr().err
    assert "no such source: order; there is orders, products" in error
    assert "unexpected" not in error


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("command", [("nightly", "--now"), ("backtest", "--cutoff")])
def test_bad_input_a_year_beyond_all_calendars(capsys, config: Path, command, year) -> None:
    assert run(*command, f"{year}-01-01", "--config", config) == 2
    assert f"found {year}, expected a year from 1970" in capsys.readouterr().err


def test_bad_input_check_finds_a_redis_that_does_not_answer(capsys, config: Path) -> None:
    service = config.parent / "service.yaml"
    service.write_text("redis_url: redis://:pa55word@127.0.0.1:1/0\nworkspaces: [shop.yaml]\n")
    assert run("check", "--config", service) == 1
    error = capsys.readouterr().err
    assert f"{service}:1: redis_url: found no Redis that answers" in error
    assert "pa55word" not in error
    service.write_text("redis_url: redis://:pa55word@host:port/0\nworkspaces: [shop.yaml]\n")
    assert run("check", "--config", service) == 1
    error = capsys.readouterr().err
    assert "the port is no number from 1 to 65535" in error
    assert "pa55word" not in error


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--share", "0.2"], "target: Name at least one item, brand or category, or a rule."),
        (["--category", "tea"], "size: Exactly one of"),
        (["--category", "tea", "--share", "0.2", "--count", "9"], "size: Exactly one of"),
        (["--category", "tea", "--share", "1.5"], "size: share: "),
        (["--category", "tea", "--count", "9", "--holdout-share", "1"], "holdout_share: "),
        (["--category", "tea", "--count", "9", "--horizon-days", "91"], "horizon_days: "),
        (["--where", "colour is red", "--count", "9"], "target: rule: 0: attribute: Must be one"),
        (["--where", "price is 3", "--count", "9"], "target: rule: 0: operator: found 'is', price"),
    ],
)
def test_bad_input_a_segment_that_makes_no_sense(options, complaint, capsys, config) -> None:
    assert run("segment", "create", *options, "--config", config) == 1
    assert f"segment request: {complaint}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("price", "--where 'price': expected ATTRIBUTE OPERATOR VALUE, 'price >= 10'"),
        ("price >=", "expected ATTRIBUTE OPERATOR VALUE"),
        ("price >= ten", "--where 'price >= ten': 'ten' is not a number"),
    ],
)
def test_bad_input_a_condition_that_cannot_be_read(condition, complaint, capsys, config) -> None:
    words = ("--where", condition, "--count", "9", "--config", config)
    assert run("segment", "create", *words) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"\n \n", "holds no item id; write one a line"), (b"\xff\xfe\x00", "expected UTF-8 text")],
)
def test_bad_input_a_file_of_items_that_is_none(content, complaint, capsys, config: Path) -> None:
    file = config.parent / "items.txt"
    file.write_bytes(content)
    words = ("--items-file", file, "--count", "9", "--config", config)
    assert run("segment", "create", *words) == 1
    assert complaint in capsys.readouterr().err


def test_bad_input_a_name_that_is_no_utf8(capsys, config: Path) -> None:
    words = ("--category", "caf\udce9", "--count", "9", "--config", config)
    assert run("segment", "create", *words) == 1
    assert "bytes that are no UTF-8 text" in capsys.readouterr().err


def test_names_do_not_command_the_terminal() -> None:
    shown = options.table([("a\x1b[2J\nb", "차 👩\u200d👧")], ("one", "two"))
    assert shown.splitlines() == ["one      two", "a [2J b  차 👩\u200d👧"]


def test_bad_input_a_file_of_items_that_is_not_there(capsys, config: Path) -> None:
    words = ("--items-file", "no.txt", "--count", "9", "--config", config)
    assert run("segment", "create", *words) == 2
    assert "'no.txt' does not exist" in capsys.readouterr().err


def test_bad_input_a_segment_that_is_not_there(capsys, config: Path) -> None:
    for words in (["show", "x"], ["cancel", "x"], ["export", "x"]):
        assert run("segment", *words, "--config", config) == 1
        assert "x" in capsys.readouterr().err
