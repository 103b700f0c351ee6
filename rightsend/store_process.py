"""Who runs the embedded store: `up` for as long as it stands, else a command for its duration.

Two files decide, by flock(2), so that a death of any kind leaves nothing behind: the owner holds
``store.owner``; everyone who uses the store holds ``store.users`` shared, and a command that owns
the store ends it when it is the last user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from rightsend.errors import RightsendError
from rightsend.valkey import EmbeddedValkey
from scoring.store.client import connect

START_S = 30.0


class BusyError(RightsendError):
    """Someone else holds the lock."""


@contextlib.contextmanager
def flock(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
    """Holds the lock file; raises BusyError when it is held and ``wait`` is off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{path} is held by another process") from None
        yield
    finally:
        os.close(handle)


def server_of(state_dir: Path) -> EmbeddedValkey:
    """The embedded server of an installation (not started)."""
    return EmbeddedValkey(state_dir / "valkey")


@contextlib.contextmanager
def owning(state_dir: Path) -> Iterator[None]:
    """Only the holder may start the embedded server of this state folder."""
    with flock(state_dir / "run" / "store.owner"):
        yield


@contextlib.contextmanager
def embedded_store(state_dir: Path) -> Iterator[str]:
    """The URL of the running embedded server; starts one when there is none.

    Raises RightsendError when it does not get ready.
    """
    server = server_of(state_dir)
    run = state_dir / "run"
    with contextlib.ExitStack() as stack:
        users = stack.enter_context(contextlib.ExitStack())
        users.enter_context(flock(run / "store.users", shared=True, wait=True))
        # whether it answers says little: the server of an owner that was killed does so, too,
        # until it has ended
        if not _started_here(stack, users, state_dir, server):
            _wait_for(server)
        yield server.url


def answers(url: str) -> bool:
    """Whether a store answers at this URL now (quick: no retries)."""
    try:
        client = connect(url, send_time=True)
    except redis.RedisError:
        return False  # a cluster, none of whose nodes answers
    with contextlib.closing(client):
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _started_here(
    stack: contextlib.ExitStack,
    users: contextlib.ExitStack,
    state_dir: Path,
    server: EmbeddedValkey,
) -> bool:
    """Starts the server if nobody else is about to; it ends with ``stack``."""
    owner = contextlib.ExitStack()
    try:
        owner.enter_context(owning(state_dir))
    except BusyError:
        return False
    server.start()
    starter = os.getpid()

    def end() -> None:
        if os.getpid() != starter:
            return  # a web worker that ends: it was forked in here, and others use the store
        users.close()
        with flock(state_dir / "run" / "store.users", wait=True):  # the last user has left
            server.stop()
        owner.close()

    stack.callback(end)
    _wait_for(server)
    return True


def _wait_for(server: EmbeddedValkey) -> None:
    deadline = time.monotonic() + START_S
    while not answers(server.url):
        if (why := server.ended()) is not None:
            raise RightsendError(f"the embedded store does not start: {why}")
        if time.monotonic() > deadline:
            raise RightsendError(
                f"the embedded store did not get ready within {START_S:g} s at {server.url}"
            )
        time.sleep(0.05)
