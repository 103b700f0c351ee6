"""The benchmark says what it lacks, before it starts anything."""

from __future__ import annotations

import pytest

from benchmarks import landing
from benchmarks.chrome import ChromeError, executable


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """Neither browser nor npm."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROME", raising=False)


@pytest.mark.usefixtures("bare_machine")
def test_bad_input_a_machine_without_a_browser_is_told_what_to_install():
    with pytest.raises(ChromeError, match="apt install chromium"):
        executable()
    with pytest.raises(ChromeError, match="apt install chromium"):
        landing.run(1, None)


@pytest.mark.usefixtures("bare_machine")
def test_bad_input_a_machine_without_npm_is_told_what_to_install(tmp_path):
    with pytest.raises(ChromeError, match="apt install npm"):
        landing.axe_source(tmp_path / "axe")


def test_bad_input_axe_that_cannot_be_had_says_why(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho network is unreachable >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ChromeError, match="network is unreachable"):
        landing.axe_source(tmp_path / "axe")
