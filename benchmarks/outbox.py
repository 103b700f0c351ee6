"""What the demo's campaign sent, checked against the segment, the scores and the purchases.

Needs a running demo (`make run`). Every figure is counted from the sandbox tool's outbox: messages,
members, doubles, messages whose items are not the customer's own, items that the customer had
bought on the day before, and landing links that do not open.

    python -m benchmarks.outbox --state ./state
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from rightsend import sandbox
from rightsend.context import Context
from rightsend.publishing import open_snapshot
from scoring import columns as c
from scoring.lake import Lake

LINK = re.compile(r"https?://\S+?/l/[\w.\-~%]+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--state", type=Path, default=Path("state"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--campaign", default="for-you")
    arguments = parser.parse_args()
    context = Context.load(state=arguments.state, port=arguments.port)
    with context.store():
        figures = checked(context, arguments.campaign)
    for name, value in figures.items():
        print(f"{name:28}{value:>10,}")
    print(json.dumps(figures))


def checked(context: Context, campaign: str) -> dict[str, int]:
    """The figures. A message's items are those of the same content call, made once more."""
    told = json.loads((context.settings.state_dir / "run" / "demo.json").read_text())
    tool = sandbox.client(context)
    members = set(tool.members(told["segment_id"]))
    messages = tool.outbox(campaign, state="sent")
    receivers = Counter(message["external_id"] for message in messages)
    published = _published(context)
    yesterday = _bought_the_day_before(context)
    with ThreadPoolExecutor(8) as pool:
        called = list(
            pool.map(lambda m: _called(context, told, m["external_id"], campaign), messages)
        )
        links = [link for m in messages for link in LINK.findall(m["body"])[:1]]
        opened = sum(pool.map(_opens, links))
    shown = [{item["id"] for item in answer["items"]} for answer in called]
    pairs = list(zip(messages, called, shown, strict=True))
    return {
        "members": len(members),
        "messages": len(messages),
        "members_without_message": len(members - set(receivers)),
        "messages_to_others": len(set(receivers) - members),
        "doubles": sum(count - 1 for count in receivers.values()),
        "not_as_called": sum(
            any(item["name"] not in m["body"] for item in answer["items"]) for m, answer, _ in pairs
        ),
        "not_their_own_items": sum(
            not items or not items <= published.get(m["external_id"], set())
            for m, _, items in pairs
        ),
        "bought_the_day_before": sum(
            bool(items & yesterday.get(m["external_id"], set())) for m, _, items in pairs
        ),
        "landing_links": len(links),
        "landing_links_opened": opened,
        "different_item_sets": len({frozenset(items) for items in shown}),
    }


def _called(context: Context, told: dict[str, Any], customer: str, campaign: str) -> dict[str, Any]:
    answer = requests.get(
        f"{context.settings.public_url}/v1/content/for-you",
        params={"customer": customer, "campaign": campaign, "limit": 3},
        headers={"X-Api-Key": told["content_key"]},
        timeout=10,
    )
    answer.raise_for_status()
    return dict(answer.json())


def _published(context: Context) -> dict[str, set[str]]:
    """Each customer's published items."""
    snapshot = open_snapshot(context, context.workspace())
    ids = snapshot.items()[c.ITEM_ID].to_pylist()
    scores = snapshot.scores()
    rows = zip(scores[c.CUSTOMER_ID].to_pylist(), scores[c.ITEM_INDEX].to_pylist(), strict=True)
    return {customer: {ids[i] for i in index} for customer, index in rows}


def _bought_the_day_before(context: Context) -> dict[str, set[str]]:
    workspace = context.workspace()
    lake = Lake(context.workspace_dir(workspace) / "lake")
    cutoff: datetime = open_snapshot(context, workspace).meta.cutoff
    events = lake.events(before=cutoff, since=cutoff - timedelta(days=1))
    bought = events.filter(events[c.EVENT_TYPE] == c.PURCHASE)
    rows = bought.select(c.IDENTIFIER, c.ITEM_ID).distinct().to_pyarrow().to_pylist()
    out: dict[str, set[str]] = {}
    for row in rows:
        out.setdefault(row[c.IDENTIFIER], set()).add(row[c.ITEM_ID])
    return out


def _opens(link: str) -> bool:
    return requests.get(link, timeout=10).status_code == 200


if __name__ == "__main__":
    main()
