"""The data sets as histories: files of the same shape with rows made up here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tasks import RANKING, TARGETING, Data, cdnow, tafeng, taobao
from scoring.backtest.targeting import ANY, observe
from scoring.history import BOUGHT, ENGAGED


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path, tmp_path / "cache")


def write(data: Data, name: str, text: str) -> None:
    path = data.file(name)
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt") as file:
        file.write(text)


def test_the_last_basket_of_tafeng_is_the_judged_day(data: Data) -> None:
    baskets = {"7": [[3, 5], [5], [4]], "12": [[5], [3, 4]]}
    write(data, tafeng.FILE, json.dumps(baskets))
    task = TARGETING["tafeng_item"]
    outcome = observe(task.history(data), "item", task.cutoff, task.horizon_hours, min_buyers=2)
    assert outcome.panel.target.tolist() == [1]  # items 3, 4 and 5 are numbered 0, 1 and 2
    assert outcome.bought.tolist() == [[True, True]]
    assert outcome.repeat.tolist() == [[False, False]]


def test_a_tafeng_basket_is_a_day_and_days_are_counted_back(data: Data) -> None:
    write(data, tafeng.FILE, json.dumps({"7": [[3, 5], [5], [4]]}))
    view = TARGETING["tafeng_item"].history(data).view("item", tafeng.LAST_BASKET)
    assert [(int(t), int(a)) for t, a in zip(view.target, view.age, strict=True)] == [
        (0, 1), (2, 0), (2, 1),
    ]  # fmt: skip


def test_one_window_earlier_judges_the_basket_before_the_last(data: Data) -> None:
    write(data, tafeng.FILE, json.dumps({"7": [[3], [5], [4]], "8": [[3], [4]]}))
    task = TARGETING["tafeng_item"].earlier(1)
    outcome = observe(task.history(data), "item", task.cutoff, task.horizon_hours, min_buyers=1)
    assert outcome.panel.customer.tolist() == [0]  # customer 8 was not known yet
    assert outcome.panel.target.tolist() == [2]


TAOBAO = """\
1,20,7,pv,1511544070
1,20,7,buy,1511561733
2,21,8,cart,1512000000
2,21,8,fav,1512000001
2,22,8,pv,1411544070
3,22,8,pv,1512316800
3,22,8,p"""


def test_taobao_keeps_goals_and_views_of_its_nine_days(data: Data) -> None:
    write(data, taobao.FILE, TAOBAO)
    history = TARGETING["taobao_category"].history(data)
    assert history.customers.tolist() == ["1", "2"]
    assert history.kind.tolist() == [ENGAGED, BOUGHT, BOUGHT, BOUGHT]
    assert history.catalogue.names["category"].tolist() == ["7", "8"]
    assert history.catalogue.of_item["category"].tolist() == [0, 1]


def test_cdnow_is_who_buys_at_all(data: Data) -> None:
    lines = ["_CUSTOMER_ID_ DATE NUM $", "00001 19970101 1 11.77", "00001 19980401 2 20.00",
             "00002 19970112 1 12.00", "00002 19980331 5 77.00", ""]  # fmt: skip
    write(data, cdnow.FILE, "\n".join(lines))
    task = TARGETING["cdnow"]
    outcome = observe(task.history(data), ANY, task.cutoff, task.horizon_hours, min_buyers=1)
    assert outcome.bought.tolist() == [[True, False]]


def test_the_judged_cutoffs_are_those_of_the_protocol() -> None:
    hours = {name: np.datetime64(task.cutoff, "h") for name, task in TARGETING.items()}
    assert str(hours["cj_category"]) == "2017-11-20T05"
    assert str(hours["cj_category_october"]) == "2017-10-16T05"
    assert str(hours["taobao_category"]) == "2017-12-01T16"
    assert str(hours["cdnow"]) == "1998-04-01T00"
    assert RANKING["cj_rank"].horizon_days == 7
    assert TARGETING["cj_item"].horizon_days == 28


def test_earlier_windows_end_where_the_judged_one_begins() -> None:
    for task in (TARGETING | RANKING).values():
        before = task.earlier(1)
        assert before.cutoff + before.horizon_hours == task.cutoff


def test_bad_input_a_task_without_its_data_says_what_it_needs(tmp_path: Path) -> None:
    task = TARGETING["cdnow"]
    assert "needs --data FOLDER" in str(task.missing(None))
    assert "CDNOW_master.txt.gz is not there" in str(task.missing(tmp_path))
    assert TARGETING["cj_item"].missing(None) is None


def test_bad_input_reading_without_a_folder_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="give its folder with --data or in RIGHTSEND_BENCHMARK"):
        TARGETING["cdnow"].history(Data(None, tmp_path))
