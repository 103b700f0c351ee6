"""What the benchmark of speed counts: every pair once, medians, rivals in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import scoring as module
from benchmarks.scoring import Case, copied, measured, ours, run
from benchmarks.tasks import TARGETING
from scoring.history import History
from settings.workspace import ModelSettings
from tests.scoring.conftest import Trained, quick_trees, trained  # noqa: F401  a fixture
from tests.scoring.histories import CUTOFF, bought, make
from tests.shop import NOW_HOUR


def shop() -> History:
    return make([*bought(0, 0, 1, 5), *bought(1, 1, 2)], customers=2, items=2)


def test_a_copy_of_a_customer_buys_what_the_customer_bought() -> None:
    past = shop()
    large = copied(past, 3)
    assert large.n_customers == len(set(large.customers)) == 6
    assert (np.diff(large.hour) >= 0).all()
    whole = past.view("item", CUTOFF)
    for copy in range(3):
        mine = large.customer // 2 == copy
        one = replace(
            past, customer=large.customer[mine] % 2, item=large.item[mine],
            hour=large.hour[mine], kind=large.kind[mine],
        )  # fmt: skip
        np.testing.assert_array_equal(one.view("item", CUTOFF).pair, whole.pair)


def test_the_first_turn_of_each_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that a run moves on: by 100 s the first time, then by 4, 1 and 2."""
    now, told = [0.0], []
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(module.time, "process_time", lambda: now[0] / 2)

    def case(name: str) -> Case:
        takes = iter([100.0, 4.0, 1.0, 2.0])

        def one() -> None:
            told.append(name)
            now[0] += next(takes)

        return Case(1_000, one)

    figures = measured({"ours": case("ours"), "theirs": case("theirs")}, 3)
    assert told == ["ours", "theirs"] * 4
    assert figures["ours"] == {"pairs": 1_000, "per_s": 500, "per_core_s": 1_000}


def test_everyone_known_is_asked_for_many_targets_and_for_one_after_the_other(
    trained: Trained,  # noqa: F811
) -> None:
    known = int(trained.past.known_customers(NOW_HOUR).sum())
    cases = ours(trained.past, trained.tonight)
    levels = trained.tonight.levels
    assert cases.keys() == {f"{how}_{name}" for name in levels for how in ("many", "one")}
    sold = {
        name: len(level.scorers["popularity"].best(module.ITEMS)) for name, level in levels.items()
    }
    for name in levels:
        assert cases[f"many_{name}"].pairs == known * sold[name]
        assert cases[f"one_{name}"].pairs == known * min(sold[name], module.SEGMENTS)
        cases[f"one_{name}"].run()


def test_a_whole_run_tells_of_both_shops_and_all_rivals(
    trained: Trained,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "SETTINGS", ModelSettings(training_windows=1, affinity_epochs=1))
    task = replace(TARGETING["cj_category"], cutoff=NOW_HOUR)
    with quick_trees(3):
        document = run(trained.past, task, copies=2, repeat=1)
    names = {"many_category", "one_category", "many_item", "one_item"}
    rivals = {"als_recommend", "lightfm_predict"}
    assert document["cj_category"].keys() == document["larger"].keys() == names | rivals
    assert document["pairs_per_s"] == document["larger"]["many_category"]["per_s"] > 0
    assert document["larger"]["als_recommend"]["of_als"] == 1
    assert "one item" in capsys.readouterr().out


def test_bad_input_a_task_without_its_data_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RIGHTSEND_BENCHMARK_DATA", raising=False)
    monkeypatch.setattr("sys.argv", ["scoring", "--task", "tafeng_item"])
    with pytest.raises(SystemExit):
        module.main()
    assert "--data" in capsys.readouterr().err
