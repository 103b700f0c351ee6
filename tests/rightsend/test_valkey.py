"""The embedded server: private, durable, and gone with whoever started it."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rightsend import valkey
from rightsend.valkey import LONGEST_SOCKET_PATH, EmbeddedValkey, ValkeyError
from scoring.store.client import connect


@contextmanager
def running(folder: Path, **options: str) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(folder, **options)
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_data_survive_a_stop_and_a_kill(tmp_path: Path) -> None:
    with running(tmp_path / "v") as server, connect(server.url) as client:
        client.set("a", "stopped")
    server.start()
    with connect(server.url) as client:
        server.wait_ready()
        assert client.get("a") == b"stopped"
        client.set("b", "killed")
        assert server._process is not None
        server._process.kill()
        server._process.wait()
    started = time.monotonic()
    with running(tmp_path / "v") as server, connect(server.url) as client:
        assert time.monotonic() - started < 1
        assert client.mget("a", "b") == [b"stopped", b"killed"]


def test_it_listens_on_a_private_socket_only(tmp_path: Path) -> None:
    with running(tmp_path / "v") as server, connect(server.url) as client:
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("appendonly", "appendfsync", "save") == {
            "appendonly": "yes",
            "appendfsync": "no",
            "save": "",
        }


def test_two_installations_stand_side_by_side(tmp_path: Path) -> None:
    with running(tmp_path / "a") as one, running(tmp_path / "b") as other:
        with connect(one.url) as client:
            client.set("whose", "one")
        with connect(other.url) as client:
            assert client.get("whose") is None


def test_a_deep_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("deep-" * 20) / ("고객" * 10)
    with running(deep) as server, connect(server.url) as client:
        assert len(os.fsencode(server.socket)) < LONGEST_SOCKET_PATH
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert client.ping()
    assert EmbeddedValkey(tmp_path / "other" / ("deep-" * 20)).socket != server.socket


def test_a_folder_with_blanks_and_signs(tmp_path: Path) -> None:
    with running(tmp_path / "my state? 100%#1") as server, connect(server.url) as client:
        assert client.ping()


def test_a_stale_socket_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "valkey.sock"))
    with running(folder) as server, connect(server.url) as client:
        assert client.ping()


def test_memory_can_be_limited(tmp_path: Path) -> None:
    with running(tmp_path / "v", maxmemory="20mb") as server, connect(server.url) as client:
        assert client.config_get("maxmemory")["maxmemory"] == str(20 * 1024 * 1024)
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


_PARENT = """
    import pathlib, sys, time
    from rightsend.valkey import EmbeddedValkey
    server = EmbeddedValkey(pathlib.Path(sys.argv[1]))
    process = server.start()
    server.wait_ready()
    print(process.pid, flush=True)
    time.sleep(600)
"""


def test_it_ends_with_its_parent_and_the_next_one_starts_at_once(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), str(tmp_path / "v")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert alive(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    with running(tmp_path / "v") as server, connect(server.url) as client:
        assert client.ping()
    assert until(lambda: not alive(pid))


def test_stopping_a_server_that_hangs(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "v")
    process = server.start()
    server.wait_ready()
    process.send_signal(signal.SIGSTOP)
    server.stop()
    assert process.returncode is not None
    server.stop()  # once more is no error


def test_bad_input_a_second_server_in_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "LOCK_TIMEOUT_S", 0.1)
    with running(tmp_path / "v") as server:
        with pytest.raises(ValkeyError, match=r"another Valkey already runs in .*/v"):
            EmbeddedValkey(tmp_path / "v").start()
        with connect(server.url) as client:
            assert client.ping()


def test_bad_input_damaged_data_are_told_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "v") as server, connect(server.url) as client:
        client.set("a", "b")
    for file in (tmp_path / "v" / "appendonlydir").glob("*.manifest"):
        file.write_text("rubbish\n")
    server = EmbeddedValkey(tmp_path / "v")
    server.start()
    with pytest.raises(ValkeyError, match=r"Valkey ended with status 1: see .*valkey\.log"):
        server.wait_ready()
    assert (tmp_path / "v" / "valkey.log").stat().st_size
    server.stop()


def test_bad_input_a_server_that_never_answers(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "v")
    process = server.start()
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(ValkeyError, match=r"does not answer after 0\.1 s"):
            server.wait_ready(timeout_s=0.1)
    finally:
        server.stop()


def test_bad_input_a_socket_folder_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "LONGEST_SOCKET_PATH", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    server = EmbeddedValkey(tmp_path / "v")
    server.socket.parent.mkdir(parents=True, mode=0o755)
    with pytest.raises(ValkeyError, match="open to others"):
        server.start()


def test_what_is_written_is_on_disk_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def fdatasync(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").resolve()
        if path.is_relative_to(tmp_path):  # other tests' servers have their own
            synced.append(path)

    monkeypatch.setattr(valkey, "SYNC_EVERY_S", 0.01)
    monkeypatch.setattr(valkey.os, "fdatasync", fdatasync)
    with running(tmp_path / "v"):
        assert until(lambda: len(synced) > 2)
    assert {path.parent for path in synced} == {tmp_path / "v" / "appendonlydir"}
    seen = len(synced)
    assert not until(lambda: len(synced) > seen + 1, 0.1)  # a stopped server is left alone


def test_what_was_deleted_leaves_the_append_only_file_when_it_is_written_anew(own_valkey) -> None:
    name = b"zz-mina-kim"
    parts = own_valkey.folder / "appendonlydir"
    with connect(own_valkey.url) as client:
        client.set("person", name)
        client.delete("person")
    assert any(name in part.read_bytes() for part in parts.iterdir())
    own_valkey.rewrite()
    assert not any(name in part.read_bytes() for part in parts.iterdir())
