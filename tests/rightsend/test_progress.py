from __future__ import annotations

import io

import pytest

from rightsend.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_each_step_is_one_line_when_it_ends() -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        progress("import purchases", 10, 100)
        progress("import purchases", 100, 100)
        progress("publish", 3)
    lines = out.getvalue().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["import purchases", "publish"]
    assert "100" in lines[0]
    assert lines[0].endswith("done")


def test_a_step_that_fails_is_not_done() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="no"), Progress(out) as progress:
        progress("import purchases", 10, 100)
        raise ValueError("no")
    assert out.getvalue().rstrip().endswith("stopped")


def test_on_a_terminal_there_is_a_bar_a_step() -> None:
    out = Terminal()
    with Progress(out) as progress:
        progress("train", 1, 2)
        progress("train", 2, 2)
    assert "train" in out.getvalue()
    assert "100%" in out.getvalue()


def test_quiet_shows_nothing() -> None:
    out = Terminal()
    with Progress(out, quiet=True) as progress:
        progress("train", 1, 2)
    assert out.getvalue() == ""
