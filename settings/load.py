"""Configuration files → Settings, or every problem at once with its file, line and key."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError

from settings.complaints import complaints, secret_keys
from settings.problems import Complaint, Problem, SettingsError
from settings.schema import ServiceSchema, WorkspaceSchema
from settings.source_schema import SourceSchema
from settings.workspace import Settings, WorkspaceSettings
from settings.yaml_file import Document, read

DEFAULT_STATE_DIR = "state"

__all__ = ["Problem", "SettingsError", "load"]


def load(
    path: Path,
    *,
    connection_schemas: Mapping[str, type[Schema]],
    source_schemas: Mapping[str, type[Schema]] = MappingProxyType({}),
    state_dir: Path | None = None,
    port: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read a service file and its workspaces, or a single workspace file.

    ``connection_schemas`` holds the options of each connection type, ``source_schemas`` those of
    each source type beside the built-in ones. ``state_dir`` and ``port`` (of the web processes)
    win over the file. Relative paths start at the file that holds them.
    Raises SettingsError with all problems of all files; nothing else for anything a file holds.
    """
    reading = _Reading(connection_schemas, source_schemas, environ)
    settings = reading.settings(Path(path))
    if settings is not None:
        settings = reading.override(settings, state_dir, port)
    if reading.problems or settings is None:
        raise SettingsError(sorted(reading.problems, key=lambda each: (each.file, each.line or 0)))
    return settings


class _Reading:
    """One call of load: collects problems over all files."""

    def __init__(
        self,
        connection_schemas: Mapping[str, type[Schema]],
        source_schemas: Mapping[str, type[Schema]],
        environ: Mapping[str, str],
    ) -> None:
        self.connection_schemas = connection_schemas
        self.source_schemas = source_schemas
        self.environ = environ
        options = (*connection_schemas.values(), *source_schemas.values())
        self.secret_keys = secret_keys([ServiceSchema, SourceSchema, *options])
        self.problems: list[Problem] = []
        self.service: Document | None = None

    def settings(self, path: Path) -> Settings | None:
        document = read(path, self.environ)
        file = _absolute(path)
        if isinstance(document.data, dict) and "workspace" in document.data:
            workspace = self.workspace(document)
            self.problems += document.problems
            if workspace is None:
                return None
            by_name = {workspace.workspace: workspace}
            return Settings(file, file.parent / DEFAULT_STATE_DIR, by_name)
        self.service = document
        values = self.validated(document, ServiceSchema())
        workspaces = self.workspaces(document)
        self.problems += document.problems
        if values is None:
            return None
        state_dir = _absolute(file.parent / values.pop("state_dir", DEFAULT_STATE_DIR))
        values["workspaces"] = workspaces
        return Settings(file=file, state_dir=state_dir, **values)

    def validated(self, document: Document, schema: Schema) -> Any:
        """What the schema makes of the document; None after a problem with it."""
        if not isinstance(document.data, dict):
            return None
        try:
            return schema.load(document.data)
        except ValidationError as error:
            messages = error.messages
        for path, complaint in complaints(document, messages, self.secret_keys):
            document.complain(path, complaint)
        return None

    def workspace(self, document: Document) -> WorkspaceSettings | None:
        file = _absolute(document.file)
        schema = WorkspaceSchema(self.connection_schemas, self.source_schemas, file)
        workspace: WorkspaceSettings | None = self.validated(document, schema)
        return workspace

    def workspaces(self, service: Document) -> dict[str, WorkspaceSettings]:
        """Every workspace file that the service file names, by workspace."""
        entries = service.data.get("workspaces") if isinstance(service.data, dict) else None
        found: dict[str, WorkspaceSettings] = {}
        seen: set[Path] = set()
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if not isinstance(entry, str) or not entry:
                continue  # the schema says so
            files = _files(service.file, entry)
            if not files:
                key = ("workspaces", index)
                hidden = service.hidden(key)
                name = f"named by {hidden}" if hidden else repr(entry)
                complaint = Complaint("a workspace file or a glob of some", f"no file {name}")
                service.complain(key, complaint)
            for file in files:
                if _absolute(file) not in seen:
                    seen.add(_absolute(file))
                    self.add_workspace(file, found)
        return found

    def add_workspace(self, file: Path, found: dict[str, WorkspaceSettings]) -> None:
        document = read(file, self.environ)
        workspace = self.workspace(document)
        if workspace is not None:
            other = found.setdefault(workspace.workspace, workspace)
            if other is not workspace:
                expected = f"another name than that of {other.file}"
                found_name = document.hidden(("workspace",)) or workspace.workspace
                document.complain(("workspace",), Complaint(expected, found_name))
        self.problems += document.problems

    def override(self, settings: Settings, state_dir: Path | None, port: int | None) -> Settings:
        """The same with the caller's ``state_dir`` and ``port``; the two ports must differ."""
        if state_dir is not None:
            settings = replace(settings, state_dir=_absolute(state_dir))
        if port is not None:
            settings = replace(settings, web=replace(settings.web, port=port))
        web, sandbox = settings.web.port, settings.sandbox_port
        if not 1 <= web <= 65535:
            self.complain_port(settings, "web", Complaint("a number from 1 to 65535", str(web)))
        elif settings.sandbox.enabled and sandbox > 65535:
            self.complain_port(
                settings, "sandbox", Complaint("a port, for web.port + 1 is none", "nothing")
            )
        elif settings.sandbox.enabled and sandbox == web:
            self.complain_port(
                settings, "sandbox", Complaint("another port than web.port", str(sandbox))
            )
        return settings

    def complain_port(self, settings: Settings, section: str, complaint: Complaint) -> None:
        document = self.service or Document(settings.file)
        document.complain((section, "port"), complaint)
        self.problems.append(document.problems[-1])


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  Path.resolve would follow symbolic links


def _files(service: Path, entry: str) -> list[Path]:
    """The files of one entry of ``workspaces``; a glob leaves the service file itself out."""
    if not glob.has_magic(entry):
        file = service.parent / entry
        return [file] if file.exists() else []
    names = sorted(glob.glob(entry, root_dir=service.parent, recursive=True))  # noqa: PTH207
    files = [service.parent / name for name in names]
    return [file for file in files if file.is_file() and _absolute(file) != _absolute(service)]
