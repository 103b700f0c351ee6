"""The key stands in no error, report, quarantine, log or file, whatever the tool answers."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from pathlib import Path

import pytest

from connectors.delivery import ConnectorError, quarantine
from connectors.registry import open_tool
from connectors.tool import Ability
from tests.connectors.double import KEY, Double

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES, "http")


def traces_of(key: str) -> list[bytes]:
    """The key, and what is left of it in base64 at each of the three places it may begin."""
    encoded = [base64.b64encode(b"\0" * shift + key.encode()) for shift in range(3)]
    return [key.encode(), *(text[4:-4] for text in encoded)]


def check_clean(text: str | bytes, where: object) -> None:
    content = text.encode() if isinstance(text, str) else text
    assert not any(trace in content for trace in traces_of(KEY)), where


def check_folder(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        check_clean(path.read_bytes(), path)


@pytest.mark.parametrize(
    "kind",
    ["hostile_text", "unauthorized", "forbidden", "rate_limited", "html", "redirect", "array",
     "item_errors"],
)  # fmt: skip
@pytest.mark.parametrize("what", ["sync", "push"])
def test_no_secret_gets_out(
    double: Double,
    kind: str,
    what: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG, logger="connectors")
    double.customers(4)
    double.tool.turn(blocked=["c000"])
    double.tool.fail(kind, times=9)
    for _ in range(2):
        try:
            report = double.sync() if what == "sync" else double.push(["c000", "c001"])
            check_clean(json.dumps(report.to_json()), "report")
        except ConnectorError as error:
            check_clean(repr(error) + str(error) + repr(error.report), "error")
            check_clean("".join(traceback.format_exception(error)), "traceback")
        double.tool.heal()
    for entry in quarantine(double.state_path):
        check_clean(repr(entry), "quarantine")
        assert entry.reason.isprintable()
    check_clean(caplog.text + "".join(capsys.readouterr()), "log")
    check_folder(double.folder)


def test_no_secret_stands_in_what_is_shown_of_a_connection(double: Double) -> None:
    with open_tool(double.connection) as tool:
        shown = [tool, tool.attributes(), double.connection, vars(tool)["_tool"]]
        check_clean(" ".join(map(repr, shown)), "repr")


def test_a_reason_of_the_tool_is_one_short_printable_line(double: Double) -> None:
    double.customers(1)
    double.tool.fail("hostile_text")
    report = double.sync()
    assert sum(report.rejected.values()) == 1
    (reason,) = report.rejected
    assert reason.isprintable()
    assert len(reason) <= 200
