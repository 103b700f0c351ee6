"""Who would answer a campaign: sizes, exclusions, arms, and requests that cannot be answered."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring import canonical, segment
from scoring import snapshot as snapshots
from scoring.lake import Lake
from scoring.segment_request import Exclusions, SizeRule, Target
from tests import nightly_shop as shop
from tests.segments import (
    KNOWN,
    TEA,
    asked,
    by_name,
    names,
    preview,
    quiet,
    refused,
    result,
    selecting,
)

select = pytest.fixture(selecting)

# ranking


def test_everybody_is_ranked_once_best_first(select) -> None:
    rows = select()
    assert len(rows) == len(set(names(rows))) == KNOWN
    assert [row["rank"] for row in rows] == list(range(1, KNOWN + 1))
    probabilities = [row["probability"] for row in rows]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 < p <= 1 for p in probabilities)


def test_those_come_first_who_usually_buy_it(select) -> None:
    tea = {who for number, who in enumerate(shop.CUSTOMERS) if number % 4 == 3}
    best = names(select(size=SizeRule(count=12)))
    assert len(tea & set(best)) >= 9


def test_the_same_request_gives_the_same_rows(select) -> None:
    assert select(holdout_share=0.3) == select(holdout_share=0.3)


def test_a_click_is_another_question_than_a_purchase(select) -> None:
    clicks = by_name(select(goal="click"))
    assert clicks != by_name(select())
    clickers, others = (np.mean([clicks[who] for who in part])
                        for part in (shop.CUSTOMERS[:30], shop.CUSTOMERS[30:]))  # fmt: skip
    assert clickers > others


# size rules


def test_size_by_count(select) -> None:
    assert names(select(size=SizeRule(count=7))) == names(select())[:7]


def test_size_by_more_than_there_are(select) -> None:
    assert len(select(size=SizeRule(count=10_000))) == KNOWN


def test_size_by_share_of_all_customers_also_when_some_are_excluded(select) -> None:
    assert len(select(size=SizeRule(share=0.2))) == 12
    without = select(size=SizeRule(share=0.2), exclusions=Exclusions(without_ad_consent=True))
    assert len(without) == 12


def test_size_by_minimum_probability(select) -> None:
    everybody = select()
    least = everybody[20]["probability"]
    rows = select(size=SizeRule(minimum_probability=least))
    assert names(rows) == [row["customer_id"] for row in everybody if row["probability"] >= least]


def test_size_by_a_probability_that_nobody_has_is_empty(night) -> None:
    found = result(night, asked(size=SizeRule(minimum_probability=1.0)))
    assert len(found.members) == found.summary["count"] == 0
    assert found.summary["expected_responses"] == 0


def test_size_by_budget(select) -> None:
    assert len(select(size=SizeRule(budget=1.0), cost_per_send=0.1)) == 10
    assert len(select(size=SizeRule(budget=0.99), cost_per_send=0.1)) == 9


def test_size_by_profit_takes_everyone_who_pays_for_the_send(select) -> None:
    everybody = select()
    rows = select(size=SizeRule(maximum_profit=True), cost_per_send=0.5, margin=2.0)
    assert names(rows) == [row["customer_id"] for row in everybody if row["probability"] > 0.25]


def test_the_most_profitable_size_beats_every_other(night) -> None:
    request = asked(size=SizeRule(maximum_profit=True), cost_per_send=0.3, margin=1.0)
    found = preview(night, request)
    best = found["most_profitable"]["profit"]
    assert found["requested"] == found["most_profitable"]
    assert all(point["profit"] <= best + 0.01 for point in found["curve"])


def test_without_a_margin_it_is_the_share_of_the_price(night) -> None:
    rich = replace(night.workspace.segments, margin_share=0.6)
    plain = result(night, asked()).summary["profit"]
    double = result(night, asked(), workspace=replace(night.workspace, segments=rich))
    assert double.summary["profit"] == pytest.approx(2 * plain, abs=0.02)
    assert double.summary["margin"] == pytest.approx(2 * result(night, asked()).summary["margin"])


def test_the_summary_is_of_the_members(night) -> None:
    found = result(night, asked(size=SizeRule(count=12), cost_per_send=0.1, margin=1.0))
    expected = sum(found.members["probability"].to_pylist())
    summary = found.summary
    assert (summary["count"], summary["share"], summary["cost"]) == (12, 0.1967, 1.2)
    assert summary["expected_responses"] == pytest.approx(expected, abs=0.01)
    assert summary["profit"] == pytest.approx(expected - 1.2, abs=0.01)
    assert summary["lift"] > 1
    assert (summary["cost_per_send"], summary["margin"]) == (0.1, 1.0)


def test_an_answer_that_costs_more_than_it_brings_makes_an_empty_segment(night) -> None:
    found = result(night, asked(size=SizeRule(maximum_profit=True), cost_per_send=2.0, margin=1.0))
    assert found.members.num_rows == 0
    assert (found.summary["count"], str(found.summary["profit"])) == (0, "0.0")


# targets


def test_any_of_two_is_more_likely_than_the_rarer_and_both_less_likely(select) -> None:
    both = Target(categories=("tea", "coffee"), match="all")
    either = Target(categories=("tea", "coffee"))
    tea, coffee, all_of, any_of = (
        by_name(select(target)) for target in (TEA, Target(categories=("coffee",)), both, either)
    )
    assert all(all_of[who] <= min(tea[who], coffee[who]) + 1e-6 for who in tea)
    assert sum(any_of.values()) > max(sum(tea.values()), sum(coffee.values()))


def test_items_brands_and_categories_together(select) -> None:
    target = Target(items=("tea-1",), brands=("brand-0",), categories=("bread",))
    assert len(select(target)) == KNOWN


def test_a_name_given_twice_counts_once(select) -> None:
    assert select(Target(categories=("tea", "tea"), match="all")) == select()


# exclusions


def test_who_bought_it_lately_is_left_out(select, night) -> None:
    recent = night.bought("tea", since=shop.AS_OF - timedelta(days=5))
    members = names(select(exclusions=Exclusions(recent_buyer_days=5)))
    assert recent
    assert set(members) == {*shop.CUSTOMERS, f"device_id:{shop.VISITOR}"} - recent


def test_who_never_agreed_is_left_out(select) -> None:
    members = set(names(select(exclusions=Exclusions(without_ad_consent=True))))
    assert members == set(shop.CUSTOMERS) - shop.WITHOUT_CONSENT


def test_who_got_many_messages_lately_is_left_out(select) -> None:
    members = set(names(select(exclusions=Exclusions(fatigued=True))))
    assert members.isdisjoint(shop.OFTEN_TOLD)
    assert {"c23", "c24"} <= members


def test_messages_to_a_device_that_is_called_like_a_person_are_not_the_persons(
    night, tmp_path
) -> None:
    shutil.copytree(night.workspace_dir / "lake", tmp_path / "lake")
    lake = Lake(tmp_path / "lake")
    sent = [
        {"event_id": f"d{n}", "occurred_at": shop.AS_OF - timedelta(days=1), "identifier": "c30",
         "identifier_kind": "device_id", "event_type": "message_sent"}
        for n in range(6)
    ]  # fmt: skip
    rows = pa.Table.from_pylist(sent, schema=canonical.schema("events"))
    assert lake.append_events(rows, batch="devices").added == 6
    request = asked(exclusions=Exclusions(fatigued=True))
    found = segment.select(
        night.snapshot.folder,
        request,
        lake,
        night.workspace,
        now=shop.AS_OF,
        secret=b"s",
        progress=quiet,
    )
    assert "c30" in found.members["customer_id"].to_pylist()


def test_exclusions_add_up(select) -> None:
    every = Exclusions(recent_buyer_days=30, without_ad_consent=True, fatigued=True)
    members = set(names(select(exclusions=every)))
    for one in (Exclusions(recent_buyer_days=30), Exclusions(fatigued=True),
                Exclusions(without_ad_consent=True)):  # fmt: skip
        assert members <= set(names(select(exclusions=one)))


# arms


def test_the_holdout_is_about_its_share_and_always_the_same_people(select) -> None:
    arms = {row["customer_id"]: row["arm"] for row in select(holdout_share=0.3)}
    control = {who for who, arm in arms.items() if arm == "control"}
    assert 8 <= len(control) <= 30
    fewer = select(size=SizeRule(count=20), holdout_share=0.3)
    assert all(row["arm"] == arms[row["customer_id"]] for row in fewer)
    more = {r["customer_id"] for r in select(holdout_share=0.6) if r["arm"] == "control"}
    assert control < more


@pytest.mark.parametrize(("share", "arm"), [(0.0, "treatment"), (1.0, "control")])
def test_no_holdout_and_nothing_but_holdout(select, share, arm) -> None:
    assert {row["arm"] for row in select(holdout_share=share)} == {arm}


def test_the_holdout_is_the_workspaces_unless_the_request_says_otherwise(night) -> None:
    segments = replace(night.workspace.segments, holdout_share=0.3)
    workspace = replace(night.workspace, segments=segments)

    def arms(**options: Any) -> list[str]:
        members = result(night, asked(**options), workspace=workspace).members
        return members["arm"].to_pylist()

    assert arms() == arms(holdout_share=0.3)
    assert "control" in arms()
    assert "control" not in arms(holdout_share=0.0)


# preview


def test_the_curve_grows_with_the_size(night) -> None:
    found = preview(night, asked(cost_per_send=0.1, margin=1.0))
    assert (found["customers"], found["available"]) == (KNOWN, KNOWN)
    for name in ("count", "share", "expected_responses", "cost"):
        values = [point[name] for point in found["curve"]]
        assert values == sorted(values)
    rates = [point["expected_rate"] for point in found["curve"]]
    assert rates == sorted(rates, reverse=True)
    assert found["curve"][-1]["count"] == KNOWN


def test_the_preview_says_what_the_segment_will_be(night) -> None:
    request = asked(size=SizeRule(share=0.2))
    summary = result(night, request).summary
    assert preview(night, request)["requested"].items() <= summary.items()


# erasure


def test_an_erased_person_is_never_selected_again(night, tmp_path) -> None:
    copied = tmp_path / "snapshot"
    shutil.copytree(night.snapshot.folder, copied)
    before = names(result(night, asked()).members.to_pylist())
    gone = {before[0], before[5]}
    assert snapshots.erase(copied, gone, model=segment.forget) == 2
    after = result(night, asked(), folder=copied).members.to_pylist()
    assert names(after) == [who for who in before if who not in gone]
    found = b"".join(path.read_bytes() for path in copied.rglob("*.npy"))
    assert not any(who.encode("utf-32-le") in found for who in gone)


# requests that cannot be answered


def test_bad_input_names_that_are_not_in_the_catalogue_are_listed(night) -> None:
    target = Target(items=("tea-1", "tea-99"), brands=("none",), categories=("TEA",))
    told = refused(night, asked(target))
    assert told.startswith("not in the catalogue: item 'tea-99', brand 'none', category 'TEA';")


def test_bad_input_a_hundred_unknown_names_are_one_sentence(night) -> None:
    target = Target(items=tuple(f"x{n}" for n in range(100)))
    assert len(refused(night, asked(target))) < 200


def test_bad_input_an_empty_target(night) -> None:
    assert "the target is empty" in refused(night, asked(Target()))


def test_bad_input_a_goal_that_was_never_learned(night, tmp_path) -> None:
    copied = tmp_path / "snapshot"
    shutil.copytree(night.snapshot.folder, copied)
    path = copied / "model" / "fitted" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "judges": {"0": ["category"]}}))
    told = refused(night, asked(goal="click"), folder=copied)
    assert "goal click was not learned" in told and "ask for goal purchase" in told


def test_bad_input_a_budget_without_a_cost(night) -> None:
    told = refused(night, asked(size=SizeRule(budget=5.0)))
    assert "give cost_per_send or set segments.cost_per_send" in told


def test_bad_input_a_budget_for_more_sends_than_can_be_counted_takes_all(select) -> None:
    everybody = len(select(size=SizeRule(share=1.0)))
    assert len(select(size=SizeRule(budget=1e308), cost_per_send=1e-308)) == everybody


def test_bad_input_fatigue_without_a_cap(night) -> None:
    free = replace(night.workspace, segments=replace(night.workspace.segments, max_sends=None))
    request = asked(exclusions=Exclusions(fatigued=True))
    assert "needs segments.max_sends" in refused(night, request, workspace=free)


def test_bad_input_a_snapshot_without_its_model(night, tmp_path) -> None:
    told = refused(night, asked(), folder=tmp_path / "nothing")
    assert "the snapshot's model cannot be read" in told


def test_bad_input_a_damaged_model(night, tmp_path) -> None:
    copied: Path = tmp_path / "snapshot"
    shutil.copytree(night.snapshot.folder, copied)
    path = copied / "model" / "fitted" / "level-category.npz"
    path.write_bytes(path.read_bytes()[:100])
    assert "run `rightsend nightly` to train again" in refused(night, asked(), folder=copied)
