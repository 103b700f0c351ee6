"""Who is who, told to the tool once: a target with keys "kind:identifier" and states
{"customer": customer id}."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.delivery.engine import Delivery
from connectors.delivery.plan import Wish
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import (
    Progress,
    Runtime,
    StopAsked,
    never_stop,
    no_progress,
    waiting,
)
from connectors.delivery.sending import Backoff
from connectors.errors import ConnectorError, Reject, Retry, Split, Stop
from connectors.registry import open_tool
from connectors.tool import Encoded, Limits, Outcome, Tool, Window
from settings.workspace import ConnectionSettings

SPACE = "identity"
CUSTOMER = "customer"
TELL, FORGET = "tell", "forget"  # lanes
LIMITS = Limits(items=50, body_bytes=4_000_000, item_bytes=10_000, envelope_bytes=0)


def sync_identities(
    connection: ConnectionSettings,
    links: Iterable[tuple[str, str, str]],
    *,
    state_path: Path,
    progress: Progress = no_progress,
    stop: StopAsked = never_stop,
    dry_run: bool = False,
    runtime: Runtime | None = None,
) -> SyncReport:
    """Tell the tool which identifiers are whose: (identifier kind, identifier, customer id).

    ``links`` are all that are known; told are those that were not told before, or belong to
    somebody else now. What has gone is forgotten here, as a tool cannot take people apart again.
    Raises Busy and Stop like ``connectors.delivery.sync``.
    """
    report = SyncReport(connection.name, dry_run=dry_run)
    runtime = runtime or Runtime()
    with open_tool(connection, waiting(runtime, stop)) as tool:
        delivery = Delivery(
            target=Identities(tool),
            state_path=state_path,
            space=SPACE,
            report=report,
            progress=progress,
            stop=stop,
            runtime=runtime,
        )
        delivery.run(Wish(f"{kind}:{each}", {CUSTOMER: customer}) for kind, each, customer in links)
    return report


def erase_profiles(
    connection: ConnectionSettings,
    customer_ids: Iterable[str],
    *,
    runtime: Runtime | None = None,
) -> int:
    """Delete people in the tool, whoever of them is there; returns how many were asked for.

    No record of them is kept. Raises Stop when the tool could not be told, or refused somebody
    (the others are deleted); then repeat it.
    """
    runtime = runtime or Runtime()
    refused: ConnectorError | None = None
    with open_tool(connection) as tool:
        gone = [each for each in customer_ids if tool.attributes().addressable(each)]
        for customer_id in gone:  # one at a time: a refused one does not keep the others
            try:
                _erase(tool, customer_id, runtime)
            except (Split, Reject) as error:
                refused = error
    if refused is not None:
        raise Stop(f"a profile was not deleted: {refused}") from refused
    return len(gone)


def _erase(tool: Tool, customer_id: str, runtime: Runtime) -> None:
    backoff = Backoff()
    for attempt in range(1, backoff.attempts + 1):
        try:
            tool.erase([customer_id])
            return
        except Retry as error:
            if attempt == backoff.attempts:
                raise Stop(f"gave up after {attempt} attempts: {error}") from error
            runtime.sleep(backoff.wait_s(attempt, error.after_s, runtime))


@dataclass(frozen=True)
class Identities:
    """Tells the tool by ``Tool.identify``, which is idempotent."""

    tool: Tool
    limits: Limits = LIMITS
    windows: Sequence[Window] = ()

    def addressable(self, key: str) -> bool:
        return True

    def encode(self, key: str, change: Mapping[str, Any]) -> Encoded:
        kind, _, identifier = key.partition(":")
        customer_id = change[CUSTOMER]
        lane = FORGET if customer_id is None else TELL
        return Encoded(orjson.dumps([kind, identifier, customer_id]), lane)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One call. Raises Retry, Split or Stop."""
        if lane == TELL:
            self.tool.identify([tuple(orjson.loads(record)) for record in records])
        return Outcome()
