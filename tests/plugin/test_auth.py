"""Keys: made once, kept hashed, scoped, revocable without a restart."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from datetime import UTC, datetime, timedelta
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
from plugin.key_file import KeyFile


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


class Clock:
    """A wall clock and a monotonic one; time passes only when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(folder, clock) -> Keys:
    return Keys(folder, now=clock.now, monotonic=clock.monotonic)


def refused(keys: Keys, key: str) -> bool:
    try:
        keys.verify(key, CONTENT)
    except WrongKeyError:
        return True
    return False


def test_a_running_reader_sees_a_new_key_at_once_and_a_revoked_one_within_a_second(
    keys, folder, clock
):
    assert refused(keys, "rs_shop_1-x_00000000_" + "0" * 40)
    key_id, key = Keys(folder).create(CONTENT)
    assert keys.verify(key, CONTENT).key_id == key_id
    assert Keys(folder).revoke(key_id)
    clock.pass_(seconds=0.5)
    assert refused(keys, key)
    assert not Keys(folder).revoke(key_id)


def test_revoking_one_key_leaves_the_others(keys, clock):
    (_, stays), (gone_id, gone) = keys.create(CONTENT), keys.create(CONTENT)
    assert not refused(keys, stays)
    assert not refused(keys, gone)
    keys.revoke(gone_id)
    clock.pass_(seconds=0.5)
    assert refused(keys, gone)
    assert not refused(keys, stays)


def test_a_known_key_costs_no_look_at_the_disk_but_every_so_often(keys, clock, monkeypatch):
    _, key = keys.create(CONTENT)
    keys.verify(key, CONTENT)
    looks: list[int] = []
    version = KeyFile.version
    monkeypatch.setattr(KeyFile, "version", lambda self: looks.append(1) or version(self))
    for _ in range(100):
        keys.verify(key, CONTENT)
    assert looks == []
    clock.pass_(seconds=0.5)
    for _ in range(100):
        keys.verify(key, CONTENT)
    assert len(looks) == 1


def test_wrong_keys_are_not_remembered(keys):
    _, key = keys.create(CONTENT)
    keys.verify(key, CONTENT)
    for number in range(1000):
        assert refused(keys, f"rs_shop_1-x_{number:08x}_" + "0" * 40)
    assert len(keys._right) == 1


def test_a_damaged_file_does_not_lock_out_who_is_in(keys, folder, clock):
    _, key = keys.create(CONTENT)
    keys.verify(key, CONTENT)
    (folder / "keys.json").write_text("{")
    clock.pass_(seconds=0.5)
    assert not refused(keys, key)


def test_a_file_that_may_not_be_read_does_not_lock_out_who_is_in(
    keys, folder, clock, monkeypatch, capsys
):
    """As after `sudo rightsend keys create` by a program that gives the file to root."""
    _, key = keys.create(CONTENT)
    keys.verify(key, CONTENT)
    _, fresh = Keys(folder).create(CONTENT)
    read_text = Path.read_text

    def denied(self: Path, *given, **named):
        if self.name == "keys.json":
            raise PermissionError(13, "Permission denied")
        return read_text(self, *given, **named)

    with monkeypatch.context() as while_denied:
        while_denied.setattr(Path, "read_text", denied)
        for _ in range(8):
            clock.pass_(seconds=0.5)
            assert not refused(keys, key)
            assert refused(keys, fresh)
    told = capsys.readouterr()
    assert (told.out + told.err).count("keys file unreadable") == 1
    clock.pass_(seconds=0.5)
    assert not refused(keys, fresh), "read again although the file did not change"


def test_a_folder_that_may_not_be_searched_does_not_lock_out_who_is_in(keys, clock, monkeypatch):
    _, key = keys.create(CONTENT)
    keys.verify(key, CONTENT)

    def denied(_self: Path, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", denied)
    clock.pass_(seconds=0.5)
    assert not refused(keys, key)


def test_bad_input_a_file_that_nobody_could_read_yet_is_an_error_with_its_reason(
    folder, monkeypatch
):
    _, key = Keys(folder).create(CONTENT)

    def denied(_self: Path, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(KeysError, match=r"keys\.json: cannot be read \(Permission denied\)"):
        Keys(folder).verify(key, CONTENT)


def test_a_rewritten_file_keeps_its_mode(folder):
    Keys(folder).create(CONTENT)
    (folder / "keys.json").chmod(0o640)
    Keys(folder).create(CONTENT)
    assert stat.S_IMODE((folder / "keys.json").stat().st_mode) == 0o640


@pytest.fixture
def given_to(monkeypatch) -> list[tuple[int, int]]:
    """(user, group) of every file that was handed over, as by root."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _handle, user, group: found.append((user, group)))
    return found


def owned_by(monkeypatch, name: str, user: int) -> None:
    """Files of this name seem to belong to ``user``, of the group after."""
    real = Path.stat

    def seen(self: Path, **how):
        status = real(self, **how)
        if self.name != name:
            return status
        return os.stat_result([*status[:4], user, user + 1, *status[6:]])

    monkeypatch.setattr(Path, "stat", seen)


def test_a_rewritten_file_keeps_its_owner(folder, monkeypatch, given_to):
    Keys(folder).create(CONTENT)
    given_to.clear()
    owned_by(monkeypatch, "keys.json", 1234)
    Keys(folder).create(CONTENT)
    assert given_to == [(1234, 1235)] * 2  # the lock, and the file


def test_a_new_file_belongs_to_the_owner_of_its_folder(folder, monkeypatch, given_to):
    folder.mkdir()
    owned_by(monkeypatch, folder.name, 1234)
    Keys(folder).create(CONTENT)
    assert given_to == [(1234, 1235)] * 2


def test_who_may_not_hand_over_writes_all_the_same(folder, monkeypatch):
    def refuse(*_given):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.fchown", refuse)
    _, key = Keys(folder).create(CONTENT)
    assert Keys(folder).verify(key, CONTENT)


# keys that end


def test_a_key_with_a_lifetime_ends(keys, clock):
    _, key = keys.create(CONTENT, lifetime=timedelta(days=30))
    assert not refused(keys, key)
    clock.pass_(days=29)
    assert not refused(keys, key)
    clock.pass_(days=1, seconds=1)
    assert refused(keys, key)


def test_rotation_gives_a_new_key_at_once_and_ends_the_old_one_later(keys, clock):
    old_id, old = keys.create([CONTENT, EVENTS], label="braze")
    new_id, new, ends_at = keys.rotate(old_id, timedelta(days=7))
    assert keys.verify(new, EVENTS).key_id == new_id
    assert {key.label for key in keys.list()} == {"braze"}
    assert {key.key_id: key.replaced_by for key in keys.list()} == {old_id: new_id, new_id: None}
    assert datetime.fromisoformat(ends_at) == clock.at + timedelta(days=7)
    clock.pass_(days=6)
    assert not refused(keys, old)
    clock.pass_(days=1)
    assert refused(keys, old)
    assert not refused(keys, new)


def test_rotation_without_overlap_ends_the_old_key_within_a_second(keys, clock):
    old_id, old = keys.create(CONTENT)
    assert not refused(keys, old)
    keys.rotate(old_id, timedelta(0))
    clock.pass_(seconds=0.5)
    assert refused(keys, old)


def test_a_rotated_key_with_a_lifetime_is_followed_by_one_with_the_same(keys, clock):
    old_id, _ = keys.create(CONTENT, lifetime=timedelta(days=90))
    clock.pass_(days=85)
    new_id, _, ends_at = keys.rotate(old_id, timedelta(days=30))
    assert datetime.fromisoformat(ends_at) == clock.at + timedelta(days=5)  # never longer
    new = next(key for key in keys.list() if key.key_id == new_id)
    assert datetime.fromisoformat(new.expires_at) == clock.at + timedelta(days=90)


def test_keys_that_end_soon_are_told_unless_they_were_rotated(keys, clock):
    keys.create(CONTENT)
    keys.create(CONTENT, lifetime=timedelta(days=100))
    soon, _ = keys.create(CONTENT, lifetime=timedelta(days=10))
    rotated, _ = keys.create(CONTENT, lifetime=timedelta(days=10))
    new, _, _ = keys.rotate(rotated, timedelta(days=1))
    keys.create(CONTENT, lifetime=timedelta(seconds=1))
    clock.pass_(seconds=2)
    found = [key.key_id for key in keys.ending_before(clock.at + timedelta(days=14))]
    assert sorted(found) == sorted([soon, new])


@pytest.mark.parametrize("again", ["unknown", "rotated", "ended"])
def test_bad_input_what_cannot_be_rotated(keys, clock, again):
    key_id, _ = keys.create(CONTENT, lifetime=timedelta(days=1))
    if again == "rotated":
        keys.rotate(key_id, timedelta(days=1))
    if again == "ended":
        clock.pass_(days=2)
    with pytest.raises(KeysError, match="rotated already" if again == "rotated" else "no key"):
        keys.rotate("00000000" if again == "unknown" else key_id, timedelta(days=1))


# in use or not


def test_the_day_of_the_last_use_is_known(keys, folder, clock):
    key_id, key = keys.create(CONTENT)
    assert keys.last_used_on(key_id) is None
    keys.verify(key, CONTENT)
    assert Keys(folder).last_used_on(key_id) == "2026-03-01"
    clock.pass_(days=1)
    keys.verify(key, CONTENT)
    assert keys.last_used_on(key_id) == "2026-03-02"


def test_a_use_that_cannot_be_noted_costs_nothing(keys, folder):
    key_id, key = keys.create(CONTENT)
    (folder / "keys_used").write_text("a file where a folder should be")
    assert not refused(keys, key)
    assert keys.last_used_on(key_id) is None


def test_bad_input_a_refused_key_is_no_use(keys):
    key_id, key = keys.create(CONTENT)
    assert refused(keys, key[:-1] + ("0" if key[-1] != "0" else "1"))
    assert keys.last_used_on(key_id) is None


def test_keys_are_listed_oldest_first_without_digests(keys, clock):
    keys.create(CONTENT, label="braze")
    clock.pass_(days=1)
    keys.create(ADMIN)
    assert [key.label for key in keys.list()] == ["braze", ""]
    assert "digest" not in keys.list()[0].to_json()
    assert "sha256" not in keys.list()[0].to_json()


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


@pytest.mark.parametrize("text", [
        "", "[]", "{", '{"keys": {"a": {"scopes": 1}}}', "\udcff",
        '{"keys": {"a": {"scopes": [], "label": "", "created_at": "", "sha256": "", '
        '"expires_at": "soon"}}}',
    ],
)  # fmt: skip
def test_bad_input_damaged_keys_file_is_named(folder, text):
    folder.mkdir()
    (folder / "keys.json").write_text(text, errors="surrogateescape")
    with pytest.raises(KeysError, match=r"keys\.json: not a file of keys"):
        Keys(folder).list()


def test_the_file_is_readable_for_people(folder):
    key_id, _ = Keys(folder).create(CONTENT, label="braze, March")
    entry = json.loads((folder / "keys.json").read_text())["keys"][key_id]
    assert (entry["label"], entry["scopes"]) == ("braze, March", ["content"])
