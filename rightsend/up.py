"""All processes of an installation on one machine: store, web, worker, clock, sandbox tool."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin.gunicorn_conf import graceful_timeout
from rightsend.context import EMBEDDED, REDIS_VARIABLE, Context, ports_file
from rightsend.errors import RightsendError
from rightsend.ports import free_port, is_free, listens
from rightsend.process import die_with_parent, family, memory_mb
from rightsend.store_process import BusyError, answers, flock, owning, server_of
from rightsend.supervisor import Program, Supervisor

LOOK_AT_MEMORY_EVERY_S = 1.0
SANDBOX_PORT_OFFSET = 1000
WEB_GRACE_S = graceful_timeout + 3.0


def run(
    context: Context,
    *,
    say: Callable[[str], None],
    greeting: str = "",
    story: Sequence[str] | None = None,
    follow_parent: bool = False,
) -> int:
    """Runs everything in the foreground until it is told to stop; returns the exit status.

    ``story`` is a `rightsend` command (with arguments) to run once all processes are up; its
    failure ends everything. With ``follow_parent`` so does the end of the parent process.

    Raises RightsendError when another `up` has this state folder or a port is taken.
    """
    parent = os.getppid()
    if follow_parent:
        die_with_parent(signal.SIGTERM, parent=parent)
    with _only_one(context) as where:
        context = _with_free_ports(context)
        if greeting:
            say(greeting)
        programs = [*_store(context, where), *_services(context, where)]
        if story:
            programs.append(Program("demo", _command(*story), _environ(context), once=True))
        watch = _Watch(where, parent if follow_parent else None)
        supervisor = Supervisor(programs, say=say, tick=lambda: watch.look(supervisor))
        return supervisor.run()


def peak_memory_mb(state_dir: Path) -> float | None:
    """The most memory that all processes of the installation had together, so far."""
    try:
        return float(json.loads(_memory_file(state_dir).read_text())["peak_mb"])
    except (OSError, ValueError, KeyError):
        return None


def log_folder(state_dir: Path) -> Path:
    """One file a process."""
    return state_dir / "run" / "logs"


@contextlib.contextmanager
def _only_one(context: Context) -> Iterator[Path]:
    state = context.settings.state_dir
    try:
        with flock(state / "run" / "up.lock"), owning(state):
            yield state
    except BusyError:
        raise RightsendError(
            f"the state folder {state} is in use by another `rightsend` process; stop that one, "
            "or give this one its own folder with --state and its own --port"
        ) from None


def _with_free_ports(context: Context) -> Context:
    """Checks the ports before any work; chooses one for the sandbox where the file does not."""
    settings = context.settings
    if not is_free(settings.web.host, settings.web.port):
        raise RightsendError(
            f"port {settings.web.port} of {settings.web.host} is taken by another program; choose "
            "another one with --port (make run PORT=…)"
        )
    configured = context.configured_sandbox_port
    if configured and not is_free("127.0.0.1", configured):
        raise RightsendError(
            f"port {configured} (sandbox: port: in {settings.file}) is taken by another program"
        )
    # that of the last time, else one far from the neighbours' web ports
    sandbox = configured or free_port(
        settings.sandbox.port, settings.web.port + SANDBOX_PORT_OFFSET
    )
    ports_file(settings.state_dir).write_text(
        json.dumps({"web": settings.web.port, "sandbox": sandbox})
    )
    return Context.load(settings.file, settings.state_dir, settings.web.port)


def _store(context: Context, state: Path) -> list[Program]:
    if context.redis_url != EMBEDDED:
        if not answers(context.redis_url):
            raise RightsendError(
                f"redis_url in {context.settings.file}: nothing answers there; start that server, "
                "or leave the line out to use the embedded one"
            )
        return []
    server = server_of(state)
    context.redis_url = server.url
    return [
        Program(
            "store",
            start=server.start,
            ready=lambda: answers(server.url),
            log=server.log,
            last=True,
        ),
    ]


def _services(context: Context, state: Path) -> list[Program]:
    settings, environ = context.settings, _environ(context)
    host, port = settings.web.host, settings.web.port

    def service(name: str, *words: str, ready: Callable[[], bool] | None = None) -> Program:
        log = log_folder(state) / f"{name}.log"
        return Program(name, _command(*words), environ, log=log, ready=ready)

    sandbox = service("sandbox", "sandbox")
    return [
        *([sandbox] if settings.sandbox.enabled else []),
        replace(service("web", "web", ready=lambda: listens(host, port)), grace_s=WEB_GRACE_S),
        service("worker", "worker", "--queue", "interactive"),
        service("nightly", "worker", "--queue", "nightly"),
        service("clock", "clock"),
    ]


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "rightsend.cli", *words)


def _environ(context: Context) -> dict[str, str]:
    return {**context.environ(), REDIS_VARIABLE: context.redis_url}


def _memory_file(state_dir: Path) -> Path:
    return state_dir / "run" / "memory.json"


@dataclass
class _Watch:
    """What the supervisor looks at besides its children: the parent, memory, who runs."""

    state: Path
    parent: int | None
    peak_mb: float = 0.0
    looked: float = 0.0
    pids: dict[str, int] = field(default_factory=dict)

    def look(self, supervisor: Supervisor) -> None:
        if self.parent is not None and os.getppid() != self.parent:
            supervisor.request_stop()
        pids = supervisor.pids()
        if pids != self.pids:
            self.pids = pids
            (self.state / "run" / "pids.json").write_text(json.dumps(pids))
        if time.monotonic() - self.looked >= LOOK_AT_MEMORY_EVERY_S:
            self.looked = time.monotonic()
            mb = memory_mb(family(os.getpid()))
            if mb > self.peak_mb:
                self.peak_mb = mb
                _memory_file(self.state).write_text(json.dumps({"peak_mb": round(mb)}))
