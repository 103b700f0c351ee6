"""Start a campaign of the host tool for the members of a segment, each with their own items.

``segments/<id>/triggered.sqlite`` holds who got it, who was refused, and of whom nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors import delivery
from connectors.delivery import TriggerReport
from connectors.delivery.runtime import StopAsked, never_stop
from connectors.tool import Recipient
from plugin.landing.token import Landing, Links
from rightsend import segments
from rightsend.catalog import items as catalog_items
from rightsend.context import Context
from rightsend.publishing import active_snapshot
from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.keys import customer_hash
from settings.workspace import WorkspaceSettings

BOOKS = "triggered.sqlite"  # in the segment's folder
SHOWN = (c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.IMAGE_URL, c.URL)
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Send:
    """Which campaign of which connection's tool. ``resend_lost``: also to those of whom an earlier
    run does not know whether they got it."""

    connection: str
    campaign_id: str
    resend_lost: bool = False


def trigger(
    context: Context,
    workspace: WorkspaceSettings,
    segment_id: str,
    send: Send,
    progress: Progress,
    *,
    stop: StopAsked = never_stop,
) -> TriggerReport:
    """Sends to those of the segment's members who have not got it yet.

    The message's properties are ``items`` (the best first: item_id, name, price, …) and
    ``landing_url``. Raises Busy and Stop; a rerun goes on.
    """
    connection = segments.connection_of(workspace, send.connection)
    folder = segments.folder_of(context, workspace, segment_id)
    members = set(segments.treated(folder))
    snapshot = active_snapshot(context, workspace)
    recipients = _recipients(context, workspace, snapshot, members, send.campaign_id)
    return delivery.trigger_campaign(
        connection,
        send.campaign_id,
        recipients,
        state_path=folder / BOOKS,
        resend_lost=send.resend_lost,
        stop=stop,
        progress=lambda step, done, _: progress(f"{connection.name}: {step}", done, len(members)),
    )


def _recipients(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot: Snapshot,
    members: set[str],
    campaign_id: str,
) -> Iterator[Recipient]:
    shown = dict(catalog_items(snapshot, SHOWN))
    limit = workspace.content.default_limit
    link = _links(context, workspace, snapshot, campaign_id)
    for customer_id, scores in snapshot.attributes([c.TOP_ITEMS]):
        if customer_id in members:
            best = scores[c.TOP_ITEMS][:limit]
            items = [{c.ITEM_ID: item_id, **shown[item_id]} for item_id in best]
            properties: dict[str, Any] = {"items": items, "landing_url": link(customer_id)}
            yield Recipient(customer_id, properties)


def _links(
    context: Context, workspace: WorkspaceSettings, snapshot: Snapshot, campaign_id: str
) -> Callable[[str], str]:
    """Customer → landing link: the same that content answers give for this campaign."""
    links, name = Links(context.secret), workspace.workspace
    ends = snapshot.meta.created_at + timedelta(days=workspace.landing.link_ttl_days)

    def link(customer_id: str) -> str:
        customer = customer_hash(context.secret, name, customer_id)
        token = links.write(Landing(name, campaign_id, customer, int(ends.timestamp())))
        return f"{context.settings.public_url}/l/{token}"

    return link
