"""The installation's secret: one for all processes, private, never silently weak."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from plugin import secret
from settings.workspace import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(file=tmp_path / "s.yaml", state_dir=tmp_path / "state", workspaces={})


def test_it_is_made_once_and_kept(settings):
    first = secret.load(settings)
    assert secret.load(settings) == first
    assert len(first) >= 32
    assert stat.S_IMODE((settings.state_dir / "secret").stat().st_mode) == 0o600


def test_the_configured_one_counts_and_no_file_is_made(settings):
    assert secret.load(replace(settings, secret="s3cret")) == b"s3cret"
    assert not settings.state_dir.exists()


def test_many_processes_at_once_agree(settings):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secret.load(settings), range(32)))
    assert len(found) == 1
    assert [path.name for path in settings.state_dir.iterdir()] == ["secret"]


@pytest.mark.parametrize("text", ["", "short", " \n"])
def test_bad_input_weak_secret_file_stops_the_start(settings, text):
    settings.state_dir.mkdir()
    (settings.state_dir / "secret").write_text(text)
    with pytest.raises(secret.SecretError, match="delete the file"):
        secret.load(settings)
