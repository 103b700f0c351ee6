"""Keys: made once, kept hashed, scoped, revocable without a restart."""

from __future__ import annotations

import json
import multiprocessing
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin.auth import (
    ADMIN,
    CONTENT,
    EVENTS,
    Keys,
    KeysError,
    WrongKeyError,
    WrongScopeError,
    workspace_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop_1-x"  # a workspace's name may hold the separator of keys


def test_a_key_may_do_what_it_was_made_for(folder):
    key_id, key = Keys(folder).create([CONTENT, EVENTS])
    assert Keys(folder).verify(key, CONTENT).key_id == key_id
    assert Keys(folder).verify(key, EVENTS).scopes == (CONTENT, EVENTS)


def test_a_key_names_its_workspace(folder):
    _, key = Keys(folder).create(CONTENT)
    assert workspace_of(key) == "shop_1-x"
    assert workspace_of("nothing of ours") is None


def test_a_key_of_another_scope_is_told_apart_from_a_wrong_key(folder):
    _, key = Keys(folder).create(CONTENT)
    with pytest.raises(WrongScopeError) as caught:
        Keys(folder).verify(key, ADMIN)
    assert caught.value.scopes == (CONTENT,)
    assert "needs admin" in str(caught.value)


def test_the_file_holds_no_secret_and_is_private(folder):
    _, key = Keys(folder).create(CONTENT)
    file = folder / "keys.json"
    assert key.rsplit("_", 1)[1] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(folder.glob("*.new")) == []


def test_a_running_reader_sees_new_and_revoked_keys(folder):
    reader = Keys(folder)
    key_id, key = Keys(folder).create(CONTENT)
    assert reader.verify(key, CONTENT).key_id == key_id
    assert Keys(folder).revoke(key_id)
    with pytest.raises(WrongKeyError):
        reader.verify(key, CONTENT)
    assert not Keys(folder).revoke(key_id)


def test_keys_are_listed_oldest_first_without_digests(folder):
    days = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])
    keys = Keys(folder, now=lambda: next(days))
    keys.create(CONTENT, label="braze")
    keys.create(ADMIN)
    assert [key.label for key in keys.list()] == ["braze", ""]
    assert set(keys.list()[0].to_json()) == {"id", "scopes", "label", "created_at"}


def test_no_keys_at_all_is_an_empty_list(folder):
    assert Keys(folder).list() == ()


def _create_some(folder: Path) -> None:
    for _ in range(10):
        Keys(folder).create(CONTENT)


def test_two_processes_creating_keys_lose_none(folder):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_create_some, args=(folder,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(Keys(folder).list()) == 20


@pytest.mark.parametrize("scopes", ["root", [], ["content", "everything"]])
def test_bad_input_unknown_scope_makes_no_key(folder, scopes):
    with pytest.raises(KeysError, match="expected some of content, events, segments, admin"):
        Keys(folder).create(scopes)
    assert Keys(folder).list() == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key.upper(),
        lambda key: key + " ",
        lambda key: key.replace("rs_shop_1-x_", "rs_other_"),
        lambda key: "",
        lambda key: "rs_shop_1-x_00000000_" + "0" * 40,
        lambda key: key + "\n",
    ],
)
def test_bad_input_wrong_key_is_refused(folder, spoil):
    _, key = Keys(folder).create(CONTENT)
    with pytest.raises(WrongKeyError):
        Keys(folder).verify(spoil(key), CONTENT)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"keys": {"a": {"scopes": 1}}}'])
def test_bad_input_damaged_keys_file_is_named(folder, text):
    folder.mkdir()
    (folder / "keys.json").write_text(text)
    with pytest.raises(KeysError, match=r"keys\.json: not a file of keys"):
        Keys(folder).list()


def test_the_file_is_readable_for_people(folder):
    key_id, _ = Keys(folder).create(CONTENT, label="braze, March")
    entry = json.loads((folder / "keys.json").read_text())["keys"][key_id]
    assert (entry["label"], entry["scopes"]) == ("braze, March", ["content"])
