"""From a tap on a landing page to the right person's history, and out of it again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugin.app import create_app
from plugin.landing import robots
from plugin.landing.token import Landing
from plugin.landing.tracking import Tracker
from plugin.runtime import runtime
from rightsend import jobs
from scoring import features
from scoring.history import CLICKED
from scoring.identity import resolve
from scoring.importing import import_events, import_sources
from scoring.lake import Lake
from scoring.store.keys import Keys, customer_hash, hasher
from tests.plugin.landing.browsers import CHROME

EVER = datetime.max.replace(tzinfo=UTC)


@pytest.fixture
def web(context, monkeypatch, redis_url):
    """The plugin over the small shop's installation; taps are carried by the test."""
    monkeypatch.setattr(Tracker, "_start", lambda self: None)
    monkeypatch.setattr(robots, "TOO_SOON_MS", 0)
    return create_app(context.settings, redis_url=redis_url)


@pytest.fixture
def imported(context, workspace):
    """The shop's own data, in the lake."""
    folder = context.workspace_dir(workspace)
    import_sources(workspace, folder, now=context.now(workspace), secret=context.secret)
    return Lake(folder / "lake")


@pytest.fixture
def visit(web, context, workspace, snapshot_of):
    """visit(customer, item): the page is opened by the customer's link and one item followed."""
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")
    clock = context.now(workspace).timestamp()

    def open_and_follow(customer: str, item: str, **headers: str) -> None:
        hashed = customer_hash(context.secret, "shop", customer)
        link = Landing("shop", "spring", hashed, int(clock) + 86_400, b"\x07" * 16, "push")
        client = web.test_client()
        with web.app_context():
            token = runtime().links.write(link)
            for path in (f"/l/{token}", f"/c/{token}?item={item}&position=2"):
                client.get(path, headers={**CHROME, **headers})
            runtime().tracker.flush(at_once=True)
        jobs.drain_events("shop")

    return open_and_follow


def people(lake: Lake, secret: bytes) -> dict[tuple[str, str], str]:
    rows = resolve(lake.events(before=EVER), lake.customers(), hasher(secret, "shop")).identifiers
    return {(r["identifier_kind"], r["identifier"]): r["customer_id"] for r in rows.to_pylist()}


def told(lake: Lake) -> list[dict[str, object]]:
    rows = lake.events(before=EVER).to_pyarrow().to_pylist()
    mine = [row for row in rows if row["identifier_kind"] == "customer_hash"]
    return sorted(mine, key=lambda row: row["event_type"], reverse=True)


def test_a_tap_is_in_the_history_of_the_person_whose_link_it_was(
    context, workspace, imported, visit
):
    visit("c01", "item-03")
    opened, clicked = told(imported)
    assert (opened["event_type"], clicked["event_type"]) == ("open", "click")
    assert (clicked["item_id"], clicked["campaign_id"], clicked["channel"]) == (
        "item-03", "spring", "push",
    )  # fmt: skip
    identity = resolve(
        imported.events(before=EVER), imported.customers(), hasher(context.secret, "shop")
    )
    items = features.item_table(imported, context.now(workspace))
    history = features.from_events(imported.events(before=EVER), identity, items)
    (row,) = (history.kind == CLICKED).nonzero()[0]
    assert history.customers[history.customer[row]] == "c01"


def test_a_scanners_visit_is_kept_but_is_nobodys_click(context, workspace, imported, visit):
    visit("c01", "item-03", **{"User-Agent": "Mozilla/5.0 (compatible; MailScanner/2.0)"})
    assert [row["event_type"] for row in told(imported)] == ["automated_open", "automated_click"]
    identity = resolve(
        imported.events(before=EVER), imported.customers(), hasher(context.secret, "shop")
    )
    items = features.item_table(imported, context.now(workspace))
    history = features.from_events(imported.events(before=EVER), identity, items)
    assert not (history.kind == CLICKED).any()


def test_whoever_is_not_known_yet_gets_the_tap_as_soon_as_they_are(context, imported, visit):
    visit("newcomer", "item-03")
    assert "customer_hash" not in {kind for kind, _ in people(imported, context.secret)}
    hashed = customer_hash(context.secret, "shop", "newcomer").hex()
    now = context.now(context.workspace())
    signup = {"event_type": "signup", "identifier": "newcomer", "occurred_at": now}
    folder = context.workspace_dir(context.workspace())
    import_events([signup], folder, now=now, secret=context.secret)
    assert people(imported, context.secret)["customer_hash", hashed] == "newcomer"


def test_an_erased_persons_taps_go_and_stay_away(context, imported, visit, tool, client):
    visit("c01", "item-03")
    hashed = customer_hash(context.secret, "shop", "c01")
    assert client.exists(Keys("shop").taps(hashed))
    jobs.erase_customer("shop", "c01")
    assert told(imported) == []
    assert not client.exists(Keys("shop").taps(hashed))
    visit("c01", "item-04")  # the link still stands in a message
    assert told(imported) == []
