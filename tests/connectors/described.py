"""Connections that are described in YAML or write files, for the list of doubles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.files.options import FilesOptions
from connectors.generic.options import HttpOptions
from settings.workspace import ConnectionSettings
from tests.connectors.double import ATTRIBUTES, KEY
from tests.connectors.files.reading import held

EXAMPLES = Path(__file__).parents[2] / "config" / "connections"
OWN = Path(__file__).parent / "generic"


def described(file: Path, base_url: str, key: str = KEY) -> ConnectionSettings:
    """The first connection in ``file``, at ``base_url``, with ``key`` for each of its secrets."""
    text = re.sub(r"\$\{\w+\}", key, file.read_text())
    entry = {**yaml.safe_load(text)[0], "base_url": base_url}
    options = {name: entry[name] for name in HttpOptions().fields if name in entry}
    return ConnectionSettings("crm", "http", ATTRIBUTES, HttpOptions().load(options))


def described_clevertap(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return described(EXAMPLES / "clevertap.yaml", f"{url}/tools/clevertap")


def described_braze(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return described(OWN / "braze.yaml", url)


def described_iterable(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return described(OWN / "iterable.yaml", f"{url}/tools/iterable")


def files_connection(url: str, patch: pytest.MonkeyPatch) -> ConnectionSettings:
    return ConnectionSettings("crm", "files", ATTRIBUTES, FilesOptions().load({"url": url}))


def read_files(connection: ConnectionSettings) -> dict[str, dict[str, Any]]:
    return held(Path(connection.options["url"]))
