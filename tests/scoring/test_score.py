"""What a night publishes: sellable, not just bought, in order, of the length that was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from scoring import best_hour, features, model_files, score
from scoring import columns as c
from scoring import history as histories
from scoring.behaviour import Behaviour
from scoring.identity import resolve
from scoring.nightly import RunReport
from scoring.reasons.reason import Reason, decode
from scoring.snapshot import Snapshot
from scoring.store.keys import identifier_text
from tests import nightly_shop as shop
from tests.nights import Night
from tests.shop import no_progress

LISTS = (
    (c.ITEM_INDEX, c.ITEM_PROBABILITY, 8),
    (c.BRAND_INDEX, c.BRAND_PROBABILITY, 2),
    (c.CATEGORY_INDEX, c.CATEGORY_PROBABILITY, 3),
)


def recommended(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """(customer, item) of everything in the lists."""
    items = snapshot.items()[c.ITEM_ID].to_pylist()
    for row in snapshot.scores().to_pylist():
        for index in row[c.ITEM_INDEX]:
            yield row[c.CUSTOMER_ID], items[index]


def bought_since(night: Night, moment: datetime) -> set[tuple[str, str]]:
    events = night.lake.events(before=night.report.now, since=moment).to_pyarrow().to_pylist()
    return {(e["identifier"], e["item_id"]) for e in events if e["event_type"] == "purchase"}


def test_every_customer_is_scored_once(night) -> None:
    customers = night.snapshot.scores()[c.CUSTOMER_ID].to_pylist()
    assert customers == sorted({*shop.CUSTOMERS, f"device_id:{shop.VISITOR}"})


@pytest.mark.parametrize(("index", "probability", "length"), LISTS)
def test_lists_are_full_and_distinct_and_begin_with_the_best(
    night, index, probability, length
) -> None:
    for row in night.snapshot.scores().to_pylist():
        assert 0 < len(row[index]) <= length
        assert len(set(row[index])) == len(row[index]) == len(row[probability])
        assert row[probability][0] == max(row[probability])
        assert all(0 < p <= 1 for p in row[probability])


@pytest.mark.parametrize("probability", [c.BRAND_PROBABILITY, c.CATEGORY_PROBABILITY])
def test_brands_and_categories_come_best_first(night, probability) -> None:
    for row in night.snapshot.scores().to_pylist():
        assert row[probability] == sorted(row[probability], reverse=True)


def test_a_category_does_not_fill_a_list(night) -> None:
    """With all variety a list changes the category more often than by probability alone."""
    items = night.snapshot.items()[c.CATEGORY].to_pylist()
    category = dict(enumerate(items))

    def neighbours_alike(diversity: float) -> int:
        fitted = model_files.load(night.snapshot.model / "fitted")
        history = histories.load(night.snapshot.model / "history")
        settings = replace(night.workspace.content, diversity=diversity)
        now, lake = night.report.now, night.lake
        people = resolve(lake.events(before=now), lake.customers())
        table = features.item_table(lake, now)
        seen = Behaviour.of(lake, people, table, now)
        hours = best_hour.best_hours(lake, people, night.workspace, now)
        past = score.Past(people, table, seen, hours, None, now)
        made = score.tables(history, fitted, past, night.workspace.models, settings, no_progress)
        return sum(
            category[a] == category[b]
            for row in made.scores[c.ITEM_INDEX].to_pylist()
            for a, b in pairwise(row)
        )

    assert neighbours_alike(1.0) < 0.8 * neighbours_alike(0.0)


def test_scalar_scores_are_what_they_say(night) -> None:
    scores = night.snapshot.scores()
    shops = scores[c.PURCHASE_PROBABILITY].to_numpy()
    expected = scores[c.EXPECTED_PURCHASES].to_numpy()
    assert ((shops > 0) & (shops <= 1)).all()
    best = np.array([sum(row) for row in scores[c.ITEM_PROBABILITY].to_pylist()])
    assert (expected >= best - 1e-4).all()


def test_what_cannot_be_bought_is_recommended_nowhere(night) -> None:
    snapshot = night.snapshot
    items = snapshot.items()[c.ITEM_ID].to_pylist()
    assert {item for _, item in recommended(snapshot)}.isdisjoint(shop.NOT_SOLD)
    shown = set(snapshot.popular()[c.ITEM_INDEX].to_pylist())
    for row in snapshot.related().to_pylist():
        shown |= {*row["related_index"], *row["together_index"]}
    assert {items[index] for index in shown}.isdisjoint(shop.NOT_SOLD)
    assert len(shown) == len(shop.ITEMS) - len(shop.NOT_SOLD)


def test_what_was_just_bought_is_not_recommended(night) -> None:
    just_bought = bought_since(night, shop.AS_OF - timedelta(days=2))
    assert len(just_bought) > 10
    assert just_bought.isdisjoint(recommended(night.snapshot))


def test_what_was_bought_before_that_is_recommended_again(night) -> None:
    earlier = bought_since(night, shop.AS_OF - timedelta(days=9))
    assert earlier & set(recommended(night.snapshot))


def test_two_days_are_two_days_also_for_a_night_that_begins_within_an_hour(
    tmp_path, monkeypatch
) -> None:
    """Purchases are known to the hour; what lies in the last one counts as just bought."""
    now = shop.AS_OF + timedelta(minutes=20)
    settings = shop.workspace(tmp_path)
    at = now - timedelta(days=2) + timedelta(minutes=5)
    favourites = [f"bread-{n}" for n in range(5)]
    rows = [shop.purchase(f"x{n}", at, "c00", item) for n, item in enumerate(favourites)]
    shop.add_events(tmp_path, rows)
    shop.train_quickly(monkeypatch.setattr)
    report = shop.night(settings, tmp_path / "workspace", now)
    snapshot = opened(tmp_path / "workspace", report)
    assert {item for who, item in recommended(snapshot) if who == "c00"}.isdisjoint(favourites)


def opened(workspace_dir, report: RunReport) -> Snapshot:
    return Snapshot.open(workspace_dir / "snapshots" / report.run)


def test_related_items_are_others_best_first_and_not_too_many(night) -> None:
    rows = night.snapshot.related().to_pylist()
    assert rows
    for row in rows:
        for name in ("related", "together"):
            index, score = row[f"{name}_index"], row[f"{name}_score"]
            assert len(index) == len(score) <= 5
            assert row[c.ITEM_INDEX] not in index
            assert score == sorted(score, reverse=True)


def test_the_best_sellers_are_in_order(night) -> None:
    share = night.snapshot.popular()["score"].to_pylist()
    assert share == sorted(share, reverse=True)
    assert 0 < share[0] <= 1


def test_identifiers_lead_to_customers_but_not_to_themselves(night) -> None:
    rows = night.snapshot.identifiers().to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("device_id", shop.VISITOR, f"device_id:{shop.VISITOR}")
    ]


def explained(snapshot: Snapshot) -> Iterator[tuple[str, str, tuple[Reason, ...]]]:
    """(customer, item, reasons) of everything in the lists."""
    items = snapshot.items()[c.ITEM_ID].to_pylist()
    for row in snapshot.scores().to_pylist():
        numbers = row[c.ITEM_REASONS]
        for place, index in enumerate(row[c.ITEM_INDEX]):
            yield row[c.CUSTOMER_ID], items[index], decode(numbers[3 * place : 3 * place + 3])


def test_the_first_items_have_reasons(night) -> None:
    rows = night.snapshot.scores().to_pylist()
    assert all(len(row[c.ITEM_REASONS]) == 3 * len(row[c.ITEM_INDEX]) for row in rows)
    found = [reasons for *_, reasons in explained(night.snapshot)]
    assert sum(map(bool, found)) > len(found) / 4


def test_of_a_category_that_a_reason_names_was_bought_on_so_many_days(night) -> None:
    days: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for event in night.lake.events(before=night.report.now).to_pyarrow().to_pylist():
        if event["event_type"] == "purchase":
            category = event["item_id"].partition("-")[0]
            who = identifier_text(event["identifier_kind"], event["identifier"])
            days[who, category].add(event["occurred_at"].date())
    told = [
        (reason.named["days"], len(days[customer, item.partition("-")[0]]))
        for customer, item, reasons in explained(night.snapshot)
        for reason in reasons
        if reason.code == "category"
    ]
    assert told
    assert all(said == bought for said, bought in told)


def test_nothing_that_is_the_same_for_all_items_of_a_customer_is_a_reason(night) -> None:
    codes = {reason.code for *_, reasons in explained(night.snapshot) for reason in reasons}
    assert codes
    assert codes.isdisjoint({"shops", "visit_due"})


def test_what_is_not_due_again_is_in_no_list_and_told_with_its_day(night) -> None:
    items = night.snapshot.items().to_pylist()
    lasts = {item[c.ITEM_ID]: max(2, item[c.REPEAT_DAYS]) for item in items}
    until: dict[tuple[str, str], datetime] = {}
    for event in night.lake.events(before=night.report.now).to_pyarrow().to_pylist():
        if event["event_type"] == "purchase" and event["identifier_kind"] == "external_id":
            pair = event["identifier"], event["item_id"]
            back = event["occurred_at"] + timedelta(days=lasts[event["item_id"]])
            until[pair] = max(back, until.get(pair, back))
    out = {pair: back for pair, back in until.items() if back > night.report.now}
    assert any(lasts[item] > 2 for _, item in out)
    assert out.keys().isdisjoint(recommended(night.snapshot))
    told, due = {}, set()
    for row in night.snapshot.scores().to_pylist():
        mine = row[c.CUSTOMER_ID]
        due |= {(mine, items[index][c.ITEM_ID]) for index in row[c.DUE_INDEX]}
        for index, day in zip(row[c.BOUGHT_INDEX], row[c.BOUGHT_UNTIL], strict=True):
            told[mine, items[index][c.ITEM_ID]] = datetime.fromtimestamp(day * 86_400, UTC)
    assert told.keys() >= out.keys()
    wrong = {p: (b, told[p]) for p, b in out.items() if not b <= told[p] <= b + timedelta(days=1)}
    assert not wrong
    assert due & out.keys()  # it is told when what is out comes back


def test_due_items_were_bought_again_and_can_be_bought(night) -> None:
    items = night.snapshot.items()[c.ITEM_ID].to_pylist()
    ever = bought_since(night, shop.FIRST_DAY)
    due = [
        (row[c.CUSTOMER_ID], items[index], interval)
        for row in night.snapshot.scores().to_pylist()
        for index, interval in zip(row[c.DUE_INDEX], row[c.DUE_INTERVAL], strict=True)
    ]
    assert len(due) > 20
    assert all((customer, item) in ever or ":" in customer for customer, item, _ in due)
    assert {item for _, item, _ in due}.isdisjoint(shop.NOT_SOLD)
    assert all(interval > 0 for _, _, interval in due)


def test_consent_and_messages_of_each_customer_are_told(night) -> None:
    rows = {row[c.CUSTOMER_ID]: row for row in night.snapshot.scores().to_pylist()}
    for customer in shop.CUSTOMERS:
        assert rows[customer][c.AD_CONSENT] is (customer not in shop.WITHOUT_CONSENT)
    for customer in shop.OFTEN_TOLD:
        assert len(rows[customer][c.SENT_DAY]) >= 5
        assert rows[customer][c.SENT_DAY] == sorted(rows[customer][c.SENT_DAY], reverse=True)


def test_what_was_looked_at_and_not_bought_since_is_watched(night) -> None:
    items = night.snapshot.items()[c.ITEM_ID].to_pylist()
    lately = bought_since(night, night.report.now - timedelta(days=1))
    watched = {
        (row[c.CUSTOMER_ID], items[index])
        for row in night.snapshot.scores().to_pylist()
        for index in row[c.WATCHED_INDEX]
    }
    assert watched
    assert not {pair for pair in watched & lately if pair[0] in shop.CUSTOMERS}


def test_the_best_hour_is_the_one_that_counting_by_hand_gives(night) -> None:
    sessions: dict[tuple[str, date, int], int] = {}
    since = night.report.now - timedelta(days=best_hour.WINDOW_DAYS)
    weight = {"click": 2, "view": 1, "purchase": 1}
    for event in night.lake.events(before=night.report.now, since=since).to_pyarrow().to_pylist():
        if event["event_type"] in weight:
            who = identifier_text(event["identifier_kind"], event["identifier"])
            at = event["occurred_at"]
            key = who, at.date(), at.hour
            sessions[key] = max(sessions.get(key, 0), weight[event["event_type"]])
    own: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * 24)
    for (who, day, hour), count in sessions.items():
        own[who][hour] += count * 0.5 ** ((night.report.now.date() - day).days / 60)
    shop_hours = np.sum(list(own.values()), axis=0)
    kernel = [np.exp(6 * (np.cos(2 * np.pi * away / 24) - 1)) for away in range(24)]
    scores = night.snapshot.scores()
    zipped = zip(*(scores[n].to_pylist() for n in (c.CUSTOMER_ID, c.BEST_HOUR)), strict=True)
    for who, told in zipped:
        evidence = own[who] + 5 * shop_hours / shop_hours.sum()
        density = [sum(kernel[(h - g) % 24] * evidence[g] for g in range(24)) for h in range(24)]
        assert 8 <= told < 21
        assert density[told] > max(density[8:21]) * 0.995  # counts are kept in whole steps
    assert len(set(scores[c.BEST_HOUR].to_pylist())) > 5
