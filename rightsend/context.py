"""What every command and job needs, wired once: settings, secret, clock, store, queues.

A process that was started by another finds the configuration in the environment
(``CONFIG_VARIABLE`` and its neighbours); a command gives it by options.
"""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rq import Queue

from connectors.registry import SCHEMAS, SOURCE_SCHEMAS
from plugin import secret
from rightsend.errors import RightsendError
from rightsend.store_process import embedded_store
from scoring.clock import Clock
from scoring.store.client import connect, queue_server
from settings.load import load
from settings.secret import Secret
from settings.workspace import Settings, WorkspaceSettings

DEFAULT_CONFIG = Path(__file__).parent / "defaults" / "rightsend.yaml"
CONFIG_VARIABLE = "RIGHTSEND_CONFIG"
STATE_VARIABLE = "RIGHTSEND_STATE"
PORT_VARIABLE = "RIGHTSEND_PORT"
REDIS_VARIABLE = "RIGHTSEND_REDIS"  # the embedded server that the supervisor started
EMBEDDED = "embedded"
QUEUES = ("interactive", "nightly")
JSON_SERIALIZER = "rq.serializers.JSONSerializer"


class Context:
    """One installation, as this process sees it."""

    def __init__(self, settings: Settings) -> None:
        self.configured_sandbox_port = settings.sandbox.port
        self.settings = _with_sandbox_port(settings)
        self.redis_url = os.environ.get(REDIS_VARIABLE) or settings.redis_url

    @classmethod
    def load(
        cls, config: Path | None = None, state: Path | None = None, port: int | None = None
    ) -> Context:
        """From options, else the environment, else the embedded defaults.

        Raises settings' SettingsError for a wrong configuration.
        """
        config = config or _path(CONFIG_VARIABLE) or DEFAULT_CONFIG
        state = state or _path(STATE_VARIABLE)
        if state is None and config == DEFAULT_CONFIG:
            state = Path("state")  # not beside the built-in file
        port = port or _number(PORT_VARIABLE)
        settings = load(
            config,
            connection_schemas=SCHEMAS,
            source_schemas=SOURCE_SCHEMAS,
            state_dir=state,
            port=port,
        )
        return cls(settings)

    def environ(self) -> dict[str, str]:
        """What a child process must find in its environment to see the same installation."""
        return {
            CONFIG_VARIABLE: str(self.settings.file),
            STATE_VARIABLE: str(self.settings.state_dir),
            PORT_VARIABLE: str(self.settings.web.port),
            REDIS_VARIABLE: self.redis_url if self.redis_url != self.settings.redis_url else "",
        }

    def workspace(self, name: str | None = None) -> WorkspaceSettings:
        """The named workspace, or the only one."""
        workspaces = self.settings.workspaces
        if name is None and len(workspaces) == 1:
            name = next(iter(workspaces))
        if name is None:
            raise RightsendError(
                f"{self.settings.file} has {len(workspaces)} workspaces; choose one with "
                f"--workspace: {', '.join(workspaces)}"
            )
        if name not in workspaces:
            raise RightsendError(
                f"{self.settings.file} has no workspace {name!r}; there is {', '.join(workspaces)}"
            )
        return self._with_sandbox_address(workspaces[name])

    def workspace_dir(self, workspace: WorkspaceSettings) -> Path:
        return self.settings.workspace_dir(workspace.workspace)

    def now(self, workspace: WorkspaceSettings) -> datetime:
        """What counts as now there: ``as_of`` and on from the first start, or the wall clock."""
        return Clock.open(self.workspace_dir(workspace), workspace.as_of).now()

    @functools.cached_property
    def secret(self) -> Secret:
        return secret.load(self.settings)

    def has_own_sandbox(self, workspace: str, connection: str) -> bool:
        """Whether the connection leads to the sandbox that `up` starts."""
        return any(
            each.name == connection and each.type == "sandbox" and not each.options.get("url")
            for each in self.settings.workspaces[workspace].connections
        )

    @functools.cached_property
    def sandbox_key(self) -> str:
        """The key of the sandbox that `up` starts; as long-lived as the installation's secret."""
        return hmac.digest(self.secret, b"sandbox", "sha256").hex()[:40]

    def _with_sandbox_address(self, workspace: WorkspaceSettings) -> WorkspaceSettings:
        """Connections of type sandbox find the one that `up` starts, unless they name another."""
        address = {"url": self.settings.sandbox_url, "api_key": self.sandbox_key}
        return replace(
            workspace,
            connections=tuple(
                replace(connection, options={**connection.options, **missing})
                if connection.type == "sandbox"
                and (missing := {k: v for k, v in address.items() if not connection.options.get(k)})
                else connection
                for connection in workspace.connections
            ),
        )

    @contextlib.contextmanager
    def store(self) -> Iterator[None]:
        """Makes ``redis_url`` reachable: finds the embedded server or runs one for the duration."""
        if self.redis_url != EMBEDDED:
            yield
            return
        with embedded_store(self.settings.state_dir) as url:
            self.redis_url = url
            try:
                yield
            finally:
                self.redis_url = EMBEDDED

    def client(self) -> Any:
        """A client of the store for work in the background (patient, with retries)."""
        if self.redis_url == EMBEDDED:
            raise RuntimeError("the store is asked for outside of Context.store()")
        return connect(self.redis_url)

    def queue(self, name: str) -> Queue:
        """A job queue: ``interactive`` (someone waits) or ``nightly``."""
        return Queue(name, connection=queue_server(self.client()), serializer=JSON_SERIALIZER)


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _number(variable: str) -> int | None:
    value = os.environ.get(variable)
    if not value:
        return None
    if not value.isdigit():
        raise RightsendError(f"{variable}: found {value!r}, expected a port number")
    return int(value)


def ports_file(state_dir: Path) -> Path:
    """Where `up` writes the ports that it chose."""
    return state_dir / "run" / "ports.json"


def _with_sandbox_port(settings: Settings) -> Settings:
    """The sandbox's port as `up` chose it, when the configuration leaves it open."""
    if settings.sandbox.port:
        return settings
    with contextlib.suppress(OSError, ValueError, KeyError):
        port = int(json.loads(ports_file(settings.state_dir).read_text())["sandbox"])
        return replace(settings, sandbox=replace(settings.sandbox, port=port))
    return settings
