"""Delivery, written once for all host tools: only changes, paced, retried, resumable.

``sync`` keeps user attributes up to date, ``push_segment`` the members of a segment,
``sync_catalog`` the items of a catalog and ``sync_identities`` who is who; all compare what is
desired with what the tool accepted last and send the difference. ``trigger_campaign`` sends
messages, and never the same one twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.delivery.attributes import Rendering
from connectors.delivery.catalog import sync_catalog
from connectors.delivery.engine import Delivery
from connectors.delivery.identities import erase_profiles, sync_identities
from connectors.delivery.ledger import Ledger, Refused
from connectors.delivery.plan import Plan, Policy, Wish
from connectors.delivery.report import PushReport, SyncReport
from connectors.delivery.runtime import (
    Progress,
    Runtime,
    StopAsked,
    never_stop,
    no_progress,
    waiting,
)
from connectors.delivery.sending import Sender
from connectors.delivery.triggering import TriggerReport, erase_recipients, trigger_campaign
from connectors.errors import Busy, ConnectorError, Reject, Retry, Split, Stop
from connectors.registry import check, open_tool
from settings.workspace import ConnectionSettings

__all__ = [
    "Busy",
    "ConnectorError",
    "PushReport",
    "Refused",
    "Reject",
    "Retry",
    "Runtime",
    "Split",
    "Stop",
    "SyncReport",
    "TriggerReport",
    "check",
    "erase_profiles",
    "erase_recipients",
    "push_segment",
    "quarantine",
    "sync",
    "sync_catalog",
    "sync_identities",
    "trigger_campaign",
]

ATTRIBUTES_SPACE = "attributes"
MEMBER = {"member": True}


def sync(
    connection: ConnectionSettings,
    desired: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    state_path: Path,
    progress: Progress = no_progress,
    stop: StopAsked = never_stop,
    dry_run: bool = False,
    runtime: Runtime | None = None,
) -> SyncReport:
    """Make the tool's user attributes those of ``connection.attributes``.

    ``desired`` gives (customer id, score name → value) of every customer, in any order; it is read
    once and not held in memory. Customers missing from it, and attributes no longer configured,
    are removed from the tool. ``state_path`` is the connection's SQLite file. A dry run reports
    what would be sent. Raises Busy when this connection is being synced already and Stop when the
    tool refuses to go on; the numbers so far are then its ``report`` attribute, and the next sync
    goes on from there.
    """
    report = SyncReport(connection.name, dry_run=dry_run)
    rendering = Rendering(connection.attributes)
    runtime = runtime or Runtime()
    with open_tool(connection, waiting(runtime, stop)) as tool:
        delivery = Delivery(
            target=tool.attributes(),
            state_path=state_path,
            space=ATTRIBUTES_SPACE,
            report=report,
            policy=Policy(rendering.settled, rendering.urgency, connection.data_points),
            progress=progress,
            stop=stop,
            runtime=runtime,
        )
        delivery.run(_rendered(rendering, desired))
    return report


def _rendered(
    rendering: Rendering, desired: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[Wish]:
    for customer_id, scores in desired:
        try:
            yield Wish(customer_id, *rendering.render(scores))
        except ValueError as error:
            yield Wish(customer_id, Reject(str(error)))


def push_segment(
    connection: ConnectionSettings,
    *,
    segment_id: str,
    name: str,
    members: Iterable[str],
    state_path: Path,
    progress: Progress = no_progress,
    stop: StopAsked = never_stop,
    runtime: Runtime | None = None,
) -> PushReport:
    """Make the tool's segment ``segment_id`` hold exactly ``members`` (customer ids, any order).

    The segment is created at the first push and renamed when ``name`` changed; afterwards only
    changes are sent. Raises Busy and Stop like ``sync``.
    """
    report = SyncReport(connection.name)
    counts = {"added": 0, "removed": 0}
    runtime = runtime or Runtime()
    with open_tool(connection, waiting(runtime, stop)) as tool:

        def declare(sender: Sender, ledger: Ledger, plan: Plan) -> None:
            if ledger.label != name:
                sender.insist(lambda: tool.declare_segment(segment_id, name))
                ledger.set_label(name)
            counts.update(added=plan.count(removals=False), removed=plan.count(removals=True))

        delivery = Delivery(
            target=tool.segment(segment_id),
            state_path=state_path,
            space=f"segment:{segment_id}",
            report=report,
            progress=progress,
            stop=stop,
            runtime=runtime,
        )
        delivery.run((Wish(member, MEMBER) for member in members), declare)
    return PushReport(
        connection=connection.name,
        segment_id=segment_id,
        members=report.profiles,
        unaddressable=report.unaddressable,
        added=counts["added"],
        removed=counts["removed"],
        requests=report.requests,
        retries=report.retries,
        rejected=report.rejected,
        seconds=report.seconds,
        finished=report.finished,
    )


def quarantine(state_path: Path) -> list[Refused]:
    """Customers whose attributes the tool refused, with the reason, by customer id."""
    with Ledger(state_path, ATTRIBUTES_SPACE) as ledger:
        return ledger.quarantine()
