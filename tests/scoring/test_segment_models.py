"""Any horizon from the snapshot's own history: learned once, kept beside the night's model."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring import model_files, segment, segment_models, training
from scoring import snapshot as snapshots
from scoring.history import BOUGHT, CLICKED
from scoring.segment_request import Target
from tests import nightly_shop as shop
from tests.nights import Night
from tests.segments import (
    KNOWN,
    TEA,
    Rows,
    asked,
    by_name,
    names,
    preview,
    quiet,
    refused,
    result,
)


@pytest.fixture
def copied(night: Night, tmp_path: Path) -> Path:
    """A snapshot's folder that a test may write into."""
    shutil.copytree(night.snapshot.folder, tmp_path / "snapshot")
    return tmp_path / "snapshot"


@pytest.fixture(autouse=True)
def quickly(monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)


@pytest.fixture
def learned(monkeypatch) -> Iterator[list[dict[str, Any]]]:
    """What training.fit was asked for."""
    calls: list[dict[str, Any]] = []
    fit = training.fit

    def noted(*arguments: Any, **options: Any) -> Any:
        calls.append(options)
        return fit(*arguments, **options)

    monkeypatch.setattr(segment_models.training, "fit", noted)
    yield calls


@pytest.fixture
def select(night: Night, copied: Path) -> Callable[..., Rows]:
    def rows(target: Target = TEA, **options: Any) -> Rows:
        return result(night, asked(target, **options), folder=copied).members.to_pylist()

    return rows


def test_without_a_horizon_it_is_the_models(night, select, learned) -> None:
    found = result(night, asked())
    assert found.summary["horizon_days"] == night.workspace.models.horizon_days
    assert select() == select(horizon_days=7)
    assert not learned


@pytest.mark.parametrize("days", [1, 90])
def test_the_shortest_and_the_longest_horizon(select, days) -> None:
    rows = select(horizon_days=days)
    assert len(rows) == KNOWN
    assert all(0 < row["probability"] <= 1 for row in rows)


def test_more_answer_in_a_longer_time(select) -> None:
    expected = [sum(by_name(select(horizon_days=days)).values()) for days in (1, 7, 14, 60)]
    assert expected == sorted(expected)
    assert expected[-1] > 2 * expected[0]


def test_a_horizon_is_learned_once(night, copied, select, learned) -> None:
    first = select(horizon_days=14)
    assert [(call["horizon_days"], call["levels"], call["kinds"]) for call in learned] == [
        (14, ["category"], (BOUGHT,))
    ]
    assert [path.name for path in (copied / "model" / "horizons").iterdir()] == [
        "purchase-14-category"
    ]
    assert select(horizon_days=14) == first
    assert len(learned) == 1


def test_what_was_learned_twice_is_the_same(night, copied, select) -> None:
    first = select(horizon_days=14)
    shutil.rmtree(copied / "model" / "horizons")
    assert select(horizon_days=14) == first


def test_a_damaged_horizon_is_learned_anew(copied, select, learned) -> None:
    first = select(horizon_days=14)
    path = copied / "model" / "horizons" / "purchase-14-category" / "level-category.npz"
    path.write_bytes(path.read_bytes()[:50])
    assert select(horizon_days=14) == first
    assert select(horizon_days=14) == first
    assert len(learned) == 2


def test_a_horizon_that_cannot_be_kept_is_used_all_the_same(copied, select) -> None:
    (copied / "model" / "horizons").write_text("in the way")
    assert len(select(horizon_days=14)) == KNOWN


def test_clicks_within_another_horizon(copied, select, learned) -> None:
    clicks = by_name(select(goal="click", horizon_days=3))
    assert [call["kinds"] for call in learned] == [(CLICKED,)]
    assert (copied / "model" / "horizons" / "click-3-category" / "model.json").exists()
    clickers, others = (np.mean([clicks[who] for who in part])
                        for part in (shop.CUSTOMERS[:30], shop.CUSTOMERS[30:]))  # fmt: skip
    assert clickers > others


def test_all_of_two_within_another_horizon_learns_whether_they_shop(select, learned) -> None:
    both = Target(items=("tea-1",), categories=("coffee",), match="all")
    select(both, horizon_days=3)
    assert sorted(call["levels"][0] for call in learned) == ["any", "category", "item"]


def test_progress_tells_that_something_is_learned(night, copied) -> None:
    told: list[str] = []
    result(
        night,
        asked(horizon_days=5),
        folder=copied,
        progress=lambda what, done, total: told.append(what),
    )
    assert "learn 5 days: train" in told


def test_a_job_that_is_cancelled_while_learning_keeps_nothing(night, copied) -> None:
    class CancelledError(Exception):
        pass

    def cancel(what: str, done: int, total: int | None) -> None:
        if what.startswith("learn"):
            raise CancelledError

    with pytest.raises(CancelledError):
        result(night, asked(horizon_days=5), folder=copied, progress=cancel)
    assert not (copied / "model" / "horizons").exists()


def test_an_erased_person_is_absent_from_a_kept_horizon(night, copied, select) -> None:
    before = names(select(horizon_days=14))
    gone = {before[0], before[7]}
    assert snapshots.erase(copied, gone, model=segment.forget) == 2
    assert set(names(select(horizon_days=14))) == set(before) - gone
    kept = [path for path in (copied / "model" / "horizons").rglob("*") if path.is_file()]
    assert kept
    assert not any(who.encode() in path.read_bytes() for path in kept for who in gone)


def test_fault_a_horizon_damaged_after_an_erasure_leaves_the_snapshot_whole(
    night, copied, select, learned
) -> None:
    """Only what the night wrote is under its seal: what was added later may be replaced."""
    gone = select(horizon_days=14)[0]["customer_id"]
    half_done = copied / "model" / "horizons" / ".writing-by-one-that-was-killed"
    half_done.mkdir()
    (half_done / "level-category.npz").write_bytes(b"half")
    snapshots.erase(copied, {gone}, model=segment.forget)
    horizons = copied / "model" / "horizons"
    assert [path.name for path in horizons.iterdir()] == ["purchase-14-category"]
    (horizons / "purchase-14-category" / "model.json").write_text("{}")
    assert gone not in names(select(horizon_days=14))
    assert len(learned) == 2
    assert snapshots.Snapshot.open(copied, verify=True).model.is_dir()


def test_a_snapshot_with_a_kept_horizon_is_still_whole(copied, select) -> None:
    select(horizon_days=14)
    assert snapshots.Snapshot.open(copied, verify=True).meta.horizon_days == 7


def test_the_preview_tells_the_interval_of_its_responses(night) -> None:
    found = preview(night, asked(cost_per_send=0.1, margin=1.0))
    for point in [*found["curve"], found["requested"], found["most_profitable"]]:
        assert 0 <= point["low"] <= point["expected_responses"] <= point["high"] <= point["count"]
    assert found["horizon_days"] == 7


def test_the_interval_of_a_week_holds_what_then_happened(night) -> None:
    """The shop's files go two weeks beyond the night."""
    found = result(night, asked()).summary
    tea = shop_buyers_after("tea", days=7)
    assert found["low"] <= tea <= found["high"]


def shop_buyers_after(category: str, days: int) -> int:
    """Customers with a purchase in the days after AS_OF, as the shop's files tell it."""
    rows = shop._orders(random.Random(5))
    until = shop.AS_OF + timedelta(days=days)
    return len(
        {
            (kind, who)
            for _, at, kind, who, _, item, *_ in rows
            if str(item).startswith(category)
            and shop.AS_OF <= datetime.fromisoformat(str(at)) < until
        }
    )


# what cannot be


def test_bad_input_clicks_that_were_never_learned_at_any_horizon(night, copied) -> None:
    path = copied / "model" / "fitted" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "judges": {"0": ["category"]}}))
    told = refused(night, asked(goal="click", horizon_days=30), folder=copied)
    assert "goal click was not learned" in told


def test_bad_input_a_snapshot_without_its_items(night, copied) -> None:
    (copied / "items.parquet").unlink()
    assert "the snapshot's items cannot be read" in refused(night, asked(), folder=copied)


def test_bad_input_a_model_that_describes_otherwise(night, copied) -> None:
    """Groups are fitted by this version, but judged by the stacker of the night."""
    folder = copied / "model" / "fitted"
    fitted = model_files.load(folder)
    category = fitted.levels["category"]
    fewer = replace(category, scorers={n: s for n, s in category.scorers.items() if n != "ease"})
    model_files.save(replace(fitted, levels={**fitted.levels, "category": fewer}), folder)
    group = Target(categories=("tea", "coffee"))
    assert "run `rightsend nightly`" in refused(night, asked(group), folder=copied)


def test_bad_input_a_history_of_a_day_learns_any_horizon(night, copied) -> None:
    """fit shortens its windows; what cannot be learned is constant, and never more than certain."""
    models = segment_models.Models.open(
        copied / "model", "purchase", 90, night.workspace.models, quiet
    )
    history = models.history
    young = replace(history, hour=np.full_like(history.hour, int(history.hour.max())))
    fitted = training.fit(
        young, models.tonight.cutoff, horizon_days=90, levels=["category"],
        settings=night.workspace.models,
    )  # fmt: skip
    everyone = np.arange(history.n_customers, dtype=np.int32)
    chance = fitted.probability("category", everyone, np.zeros_like(everyone))
    assert ((chance >= 0) & (chance <= 1)).all()
