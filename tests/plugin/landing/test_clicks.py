"""A tap on a product leads to the product and nowhere else, and is told as what it was."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from plugin.app import create_app
from plugin.landing import robots
from plugin.runtime import runtime
from scoring.store.client import connect
from scoring.store.publish import Publisher
from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF
from tests.plugin.landing.browsers import CHROME
from tests.plugin.landing.test_routes import CUSTOMER, FORGED, names, token

HOME = "https://rightsend.example"


@pytest.fixture
def events(app, redis_client):
    """What was told: settles it first."""

    def found():
        with app.app_context():
            runtime().tracker.flush(at_once=True)
        recent = RecentEvents(redis_client, WORKSPACE, SECRET)
        return [each.event for each in recent.drain("test")]

    return found


def kinds(found):
    return [(each["event_type"], each["item_id"]) for each in found]


def follow(client, link, **headers):
    return client.get(link, headers={**CHROME, **headers})


def test_every_link_of_the_page_leads_to_its_item(client, published):
    page = client.get(f"/l/{token()}", headers={"User-Agent": "x"}).get_data(as_text=True)
    links = re.findall(r'<h3 class="name"><a href="([^"]+)"', page)
    assert len(links) == 24
    for position, link in enumerate(map(unescape, links), 1):
        assert link.startswith(f"../c/{token()}?")
        query = parse_qs(urlsplit(link).query)
        answer = follow(client, link.removeprefix(".."))
        assert (answer.status_code, query["position"]) == (302, [str(position)])
        assert answer.headers["Location"] == f"https://shop.example/{query['item'][0]}"
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_visit_comes_back_as_events_of_its_customer(client, published, events, monkeypatch):
    monkeypatch.setattr(robots, "TOO_SOON_MS", 0)  # a test is quicker than a hand
    page = follow(client, f"/l/{token()}").get_data(as_text=True)
    link = unescape(re.search(r'<a href="\.\.(/c/[^"]+)"', page)[1])
    assert follow(client, link).status_code == 302
    opened, clicked = events()
    assert (opened["event_type"], opened["campaign_id"]) == ("open", "spring")
    assert clicked["identifier"] == CUSTOMER.hex()
    told = [orjson.loads(each["properties"]) for each in (opened, clicked)]
    assert told[1]["position"] == 1
    assert len({each["page_decision_id"] for each in told}) == 1


def test_programs_are_told_apart(client, published, events):
    client.head(f"/l/{token()}", headers=CHROME)
    follow(client, f"/c/{token()}?item=item-01", **{"User-Agent": "Slackbot 1.0"})
    client.get(f"/l/{token()}", headers={"Accept": "*/*"})
    assert {kind for kind, _ in kinds(events())} == {"automated_open", "automated_click"}


def test_the_apps_json_is_no_open(client, published, events):
    answer = follow(client, f"/l/{token()}", Accept="application/json")
    assert answer.get_json()["customer_known"]
    assert events() == []


@pytest.mark.parametrize("link", FORGED.values(), ids=FORGED)
def test_bad_input_nobodys_link_still_leads_to_the_item_and_is_nobodys_event(
    client, published, events, link
):
    page = follow(client, f"/l/{link}").get_data(as_text=True)
    assert "/c/" not in page  # straight to the shop
    answer = follow(client, f"/c/{link}?item=item-01")
    assert answer.headers["Location"] == "https://shop.example/item-01"
    assert events() == []


@pytest.mark.parametrize(
    "query",
    [
        "", "item=", "item=unknown", "item=https://evil.example/", "item=//evil.example",
        "url=https://evil.example/", "item=%0d%0aLocation:%20https://evil.example/",
        "item=%00", "item=" + "x" * 5000, "item=%ff%fe", "position=1",
    ],
)  # fmt: skip
def test_bad_input_what_is_no_item_leads_back_to_the_page(client, published, events, query):
    good = token()
    answer = follow(client, f"/c/{good}?{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{HOME}/l/{good}")
    forged = follow(client, f"/c/https://evil.example/?{query}")
    assert forged.headers["Location"] == f"{HOME}/l/-"
    assert events() == []


def test_what_the_page_showed_is_logged_as_a_decision(client, published, app, events):
    with app.app_context():
        log = runtime().workspaces[WORKSPACE].decisions
        taken = []
        log.add = taken.append
    follow(client, "/l/forged")
    follow(client, f"/l/{token()}")
    (decision,) = taken
    (opened,) = events()
    assert (decision.kind, decision.campaign, len(decision.numbers)) == ("landing", "spring", 24)
    assert orjson.loads(opened["properties"])["page_decision_id"] == decision.decision_id


@pytest.mark.parametrize("position", ["0", "-1", "many", "1000", "1.5", "", "١"])
def test_bad_input_position_is_left_out(client, published, events, position):
    follow(client, f"/l/{token()}")
    answer = follow(client, f"/c/{token()}?item=item-01&position={position}")
    assert answer.headers["Location"] == "https://shop.example/item-01"
    assert "position" not in orjson.loads(events()[-1]["properties"])


@pytest.mark.parametrize("warm", [True, False])
def test_while_the_store_is_away_links_still_lead_to_items(
    own_valkey, settings, snapshot, workspace_dir, warm
):
    with connect(own_valkey.url) as store:
        publisher = Publisher(store, WORKSPACE, SECRET, workspace_dir)
        publisher.publish(snapshot, ttl_s=3600, now=CUTOFF)
    client = create_app(settings, redis_url=own_valkey.url).test_client()
    if warm:
        follow(client, f"/l/{token()}")
    own_valkey.stop()
    page = follow(client, f"/l/{token()}")
    assert page.status_code == 200
    assert names(page)[0] == "Item 00"
    answer = follow(client, f"/c/{token()}?item=item-01")
    assert answer.headers["Location"] == "https://shop.example/item-01"
