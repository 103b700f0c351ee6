"""A catalog of the tool follows the shop's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connectors.delivery.engine import Delivery
from connectors.delivery.ledger import Ledger
from connectors.delivery.plan import Plan, Wish
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import (
    Progress,
    Runtime,
    StopAsked,
    never_stop,
    no_progress,
    waiting,
)
from connectors.delivery.sending import Sender
from connectors.registry import open_tool
from settings.workspace import ConnectionSettings

ITEM = "item"  # the one name in an item's state: an item is written whole


def sync_catalog(
    connection: ConnectionSettings,
    items: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    name: str,
    fields: Mapping[str, str],
    state_path: Path,
    progress: Progress = no_progress,
    stop: StopAsked = never_stop,
    dry_run: bool = False,
    runtime: Runtime | None = None,
) -> SyncReport:
    """Make the tool's catalog ``name`` hold exactly ``items``: (item id, field → value).

    ``fields`` (name → string, number, boolean or time) are made in the tool where they are new.
    Items that are there no more are removed. The report counts items as profiles and written items
    as data points. Raises Busy and Stop like ``connectors.delivery.sync``.
    """
    report = SyncReport(connection.name, dry_run=dry_run)
    label = ",".join(f"{field}:{kind}" for field, kind in sorted(fields.items()))
    runtime = runtime or Runtime()
    with open_tool(connection, waiting(runtime, stop)) as tool:

        def declare(sender: Sender, ledger: Ledger, _plan: Plan) -> None:
            if ledger.label != label:
                sender.insist(lambda: tool.declare_catalog(name, fields))
                ledger.set_label(label)

        delivery = Delivery(
            target=tool.catalog(name),
            state_path=state_path,
            space=f"catalog:{name}",
            report=report,
            progress=progress,
            stop=stop,
            runtime=runtime,
        )
        delivery.run((Wish(item_id, {ITEM: dict(item)}) for item_id, item in items), declare)
    return report
