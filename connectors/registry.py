"""Every host tool that Rightsend speaks to.

To remove one, delete its folder and its two lines here. ``sandbox`` speaks Braze's protocol and
needs the folder ``braze``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import marshmallow

from connectors import (
    bloomreach,
    blueshift,
    braze,
    brevo,
    customerio,
    files,
    generic,
    insider,
    iterable,
    klaviyo,
    mailchimp,
    moengage,
    onesignal,
    sandbox,
    segment,
)
from connectors.errors import ConnectorError, Stop
from connectors.generic.snippet import clevertap
from connectors.inbound import EventFiles
from connectors.snippets import MakeSnippet
from connectors.tool import Connector, Tool
from settings.workspace import ConnectionSettings

REGISTRY: dict[str, Connector] = {
    "bloomreach": bloomreach.CONNECTOR,
    "blueshift": blueshift.CONNECTOR,
    "braze": braze.CONNECTOR,
    "brevo": brevo.CONNECTOR,
    "files": files.CONNECTOR,
    "http": generic.CONNECTOR,
    "insider": insider.CONNECTOR,
    "iterable": iterable.CONNECTOR,
    "klaviyo": klaviyo.CONNECTOR,
    "mailchimp": mailchimp.CONNECTOR,
    "customerio": customerio.CONNECTOR,
    "moengage": moengage.CONNECTOR,
    "onesignal": onesignal.CONNECTOR,
    "sandbox": sandbox.CONNECTOR,
    "segment": segment.CONNECTOR,
}

SCHEMAS: dict[str, type[marshmallow.Schema]] = {
    name: connector.options for name, connector in REGISTRY.items()
}

# Source types beside the built-in ones: event files that tools export.
EVENT_FILES: dict[str, EventFiles] = {
    connector.event_files.source_type: connector.event_files
    for connector in REGISTRY.values()
    if connector.event_files is not None
}

SOURCE_SCHEMAS: dict[str, type[marshmallow.Schema]] = {
    name: files.options for name, files in EVENT_FILES.items()
}


# who pulls content at send time; CleverTap is written to by the generic connector
SNIPPETS: dict[str, MakeSnippet] = {
    **{name: each.snippet for name, each in REGISTRY.items() if each.snippet is not None},
    "clevertap": clevertap,
}


@contextmanager
def open_tool(
    connection: ConnectionSettings, wait: Callable[[float], None] | None = None
) -> Iterator[Tool]:
    """The tool of a connection, closed at the end of the block; it waits by ``wait`` (seconds)
    where one is given. Raises Stop for an unknown type."""
    connector = REGISTRY.get(connection.type)
    if connector is None:
        known = ", ".join(sorted(REGISTRY))
        raise Stop(f"connection {connection.name} has type {connection.type}; known are {known}")
    tool = connector.open(connection)
    if wait is not None:
        tool.wait_by(wait)
    try:
        yield tool
    finally:
        tool.close()


def check(connection: ConnectionSettings) -> str | None:
    """Open the connection and make one harmless call: None, or one sentence about what is wrong."""
    try:
        with open_tool(connection) as tool:
            tool.check()
    except ConnectorError as error:
        return f"connection {connection.name}: {error}"
    return None
