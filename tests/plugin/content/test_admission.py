"""Too many calls, a store that is away: by GET, by POST and for the landing page alike, and who is
held out or refuses advertising is not forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.app import create_app
from plugin.content import service
from plugin.content.asked import Picked
from plugin.landing.token import Links
from scoring.holdout import CONTROL, arm
from scoring.store.keys import customer_hash
from settings.workspace import LimitSettings, SendSettings
from tests.conftest import SECRET, WORKSPACE
from tests.plugin.conftest import PUBLIC_URL
from tests.plugin.test_metrics import samples

WAYS = ("get", "post", "landing")
CUSTOMERS = [f"customer-{number:03d}" for number in range(30)]
NOWHERE = "unix:///nowhere.sock"


@pytest.fixture
def shop(settings, redis_url, published):
    """shop(send settings, …) → the app of a shop that never sleeps."""

    def make(*, per_s: float | None = None, url: str = redis_url, **send):
        always = SendSettings(quiet_hours=None, **send)
        changed = replace(settings.workspaces[WORKSPACE], send=always)
        limits = LimitSettings(content_per_s=per_s) if per_s else LimitSettings()
        workspaces = {**settings.workspaces, WORKSPACE: changed}
        app = create_app(replace(settings, workspaces=workspaces, limits=limits), redis_url=url)
        app.testing = False
        return app

    return make


def ask(app, key: str, way: str = "get", **query: str) -> dict:
    """One answer to a call about customer-001, or whom the query names."""
    client, headers = app.test_client(), {"X-Api-Key": key}
    asked = {"customer": "customer-001", "campaign": "spring", **query}
    if way == "post":
        body = {name: value != "false" if name == "advertising" else value
                for name, value in asked.items()}  # fmt: skip
        response = client.post("/v1/content/for-you", json=body, headers=headers)
    elif way == "landing":
        path = f"/v1/landing/{asked.pop('campaign')}"
        response = client.get(path, query_string=asked, headers=headers)
    else:
        response = client.get("/v1/content/for-you", query_string=asked, headers=headers)
    assert response.status_code == 200, response.get_json()
    return response.get_json()


def crowded(app) -> None:
    """Every call has waited for a second."""
    app.extensions["rightsend"].pressure.watch(lambda: 100, lambda: 1.0)


@pytest.mark.parametrize("way", WAYS)
def test_a_key_over_its_limit_gets_what_is_popular(shop, key, way):
    app = shop(per_s=1)
    reasons = [ask(app, key, way)["reason"] for _ in range(6)]
    assert reasons[:3] == [None] * 3
    assert set(reasons[4:]) == {"rate_limited"}


def test_all_ways_are_counted_together(shop, key):
    app = shop(per_s=1)
    assert [ask(app, key, way)["reason"] for way in WAYS] == [None] * 3
    assert [ask(app, key, way)["reason"] for way in WAYS] == ["rate_limited"] * 3


@pytest.mark.parametrize("way", WAYS)
def test_too_many_calls_at_once_get_what_is_popular(shop, key, way):
    app = shop()
    crowded(app)
    answer = ask(app, key, way)
    assert answer["reason"] == "overloaded"
    assert [item["id"] for item in answer["items"]][:2] == ["item-00", "item-01"]


@pytest.mark.parametrize("way", WAYS)
def test_who_is_held_out_is_so_without_the_store(shop, key, way):
    app = shop(holdouts={"spring": 0.5})
    crowded(app)
    for customer in CUSTOMERS:
        answer = ask(app, key, way, customer=customer)
        held = arm(customer_hash(SECRET, WORKSPACE, customer), "spring", 0.5) == CONTROL
        assert answer["reason"] == "overloaded"
        assert answer["send_reason"] == ("holdout" if held else None)


def test_the_decision_and_the_link_of_an_overloaded_call_name_the_customer(shop, key):
    app = shop(holdouts={"spring": 0.5})
    decisions: list = []
    here = app.extensions["rightsend"].workspaces[WORKSPACE]
    here.decisions.add = decisions.append
    ask(app, key)  # the process has seen the snapshot, so that links have an end
    crowded(app)
    answer = ask(app, key, channel="push")
    customer = customer_hash(SECRET, WORKSPACE, "customer-001")
    assert decisions[-1].customer == customer
    assert decisions[-1].reason == "overloaded"
    assert decisions[-1].arm == arm(customer, "spring", 0.5)
    link = Links(SECRET).read(answer["landing_url"].removeprefix(f"{PUBLIC_URL}/l/"))
    assert link is not None
    assert link.customer == customer


def test_an_overloaded_call_is_counted_with_its_time_and_why_not_to_send(shop, key):
    app = shop(holdouts={"spring": 0.9})
    crowded(app)
    for customer in CUSTOMERS:
        ask(app, key, customer=customer)
    found = samples(app.extensions["rightsend"].metrics.render())
    held = found["rightsend_content_unsent_total", "for-you", "holdout"]
    assert 20 < held <= len(CUSTOMERS)
    assert found["rightsend_content_fallbacks_total", "for-you", "overloaded"] == len(CUSTOMERS)
    assert found["rightsend_content_seconds_sum", "for-you"] > 0


def cases(shop) -> dict[str, object]:
    """An app for each reason for which nobody looks at the customer's record."""
    limited, busy = shop(per_s=1, when_unknown=False), shop(when_unknown=False)
    limits = limited.extensions["rightsend"].limits
    limits.allow = lambda _key_id: False
    crowded(busy)
    away = shop(url=NOWHERE, when_unknown=False)
    return {"rate_limited": limited, "overloaded": busy, "store_unavailable": away}


@pytest.mark.parametrize("way", WAYS)
def test_without_a_look_at_consent_no_advertising_if_the_shop_says_so(shop, key, way):
    for reason, app in cases(shop).items():
        answer = ask(app, key, way)
        assert (answer["reason"], answer["send"]) == (reason, False)
        assert answer["send_reason"] == "unknown_consent"
        assert answer["items"]
        answer = ask(app, key, way, advertising="false")
        assert (answer["reason"], answer["send"], answer["send_reason"]) == (reason, True, None)


def test_without_a_look_at_consent_a_fault_of_ours_withholds_advertising_too(
    shop, key, monkeypatch
):
    app = shop(when_unknown=False)
    picked = service.picked
    faults = iter([True])

    def damaged(*given) -> Picked:
        if next(faults, False):
            raise IndexError
        return picked(*given)

    monkeypatch.setattr(service, "picked", damaged)
    answer = ask(app, key)
    assert (answer["reason"], answer["send_reason"]) == ("error", "unknown_consent")


def test_where_nothing_is_published_nobody_looked_at_consent(shop, key, redis_client):
    app = shop(when_unknown=False)
    redis_client.flushall()
    answer = ask(app, key)
    assert (answer["reason"], answer["send_reason"]) == ("no_snapshot", "unknown_consent")


def test_by_default_a_campaign_goes_on(shop, key):
    app = shop(url=NOWHERE)
    answer = ask(app, key)
    assert (answer["reason"], answer["send"]) == ("store_unavailable", True)


def test_a_customer_whom_the_store_does_not_know_has_refused_nothing(shop, key):
    answer = ask(shop(when_unknown=False), key, customer="nobody-knows-me")
    assert (answer["reason"], answer["send"]) == ("unknown_customer", True)


def test_when_nothing_can_be_shown_nothing_is_sent(shop, key, monkeypatch):
    def damaged(*_given) -> Picked:
        raise IndexError

    app = shop()
    monkeypatch.setattr(service, "picked", damaged)
    answer = ask(app, key)
    assert (answer["items"], answer["reason"]) == ([], "error")
    assert (answer["send"], answer["send_reason"]) == (False, "nothing_to_say")
