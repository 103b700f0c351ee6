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
    with pytest.raises(secret.SecretError, match="or delete it"):
        secret.load(settings)


# rotation


def test_a_new_secret_comes_first_and_the_former_ones_stay_known(settings):
    first = secret.load(settings)
    second = secret.rotate(settings)
    third = secret.rotate(settings)
    assert len({bytes(first), bytes(second), bytes(third)}) == 3
    assert secret.load(settings) == third
    assert secret.load(settings).former == (bytes(second), bytes(first))
    assert stat.S_IMODE((settings.state_dir / "secret").stat().st_mode) == 0o600
    assert [path.name for path in settings.state_dir.iterdir()] == ["secret"]


def test_former_secrets_can_be_forgotten(settings):
    secret.load(settings)
    latest = secret.rotate(settings)
    assert secret.forget_former(settings) == 1
    assert secret.load(settings) == latest
    assert secret.load(settings).former == ()


def test_a_configured_secret_has_configured_former_ones(settings):
    found = secret.load(replace(settings, secret="new", former_secrets=("old", "older")))
    assert (found, found.former) == (b"new", (b"old", b"older"))


@pytest.mark.parametrize("change", [secret.rotate, secret.forget_former])
def test_bad_input_a_configured_secret_is_rotated_in_the_configuration(settings, change):
    with pytest.raises(secret.SecretError, match="former_secrets"):
        change(replace(settings, secret="s3cret"))


def test_bad_input_a_former_secret_that_was_cut_is_named(settings):
    secret.load(settings)
    path = settings.state_dir / "secret"
    path.write_text(path.read_text() + "\nshort")
    with pytest.raises(secret.SecretError, match="found 5 characters"):
        secret.load(settings)
