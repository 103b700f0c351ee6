"""`rightsend score` and `rightsend recommend`: the whole file or none."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rightsend import cli
from scoring import bulk, model_files
from scoring import history as histories
from tests import nightly_shop as shop
from tests.nights import Night, night  # noqa: F401  a fixture

pytestmark = pytest.mark.slow


@pytest.fixture
def run(night: Night):  # noqa: F811
    folder = night.workspace_dir.parents[2]
    where = ["--config", str(folder / "shop.yaml"), "--state", str(folder / "state")]
    return lambda *words: cli.run([*(str(word) for word in words), *where])


def asked(folder: Path, text: str) -> Path:
    path = folder / "asked.txt"
    path.write_text(text)
    return path


def test_score_writes_what_the_model_says(run, night, tmp_path, capsys) -> None:  # noqa: F811
    out = tmp_path / "out.parquet"
    targets = asked(tmp_path, "category:tea\nitem:bread-1\n")
    assert run("score", "--targets", targets, "--out", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    rows = pq.read_table(out)
    assert report["rows"] == rows.num_rows == 2 * len(set(rows["customer_id"].to_pylist()))
    assert report["as_of"] == shop.AS_OF.isoformat()
    history = histories.load(night.snapshot.model / "history")
    fitted = model_files.load(night.snapshot.model / "fitted")
    known = bulk.known_customers(history, fitted)
    tea = int(np.searchsorted(history.catalogue.names["category"], "tea"))
    expected = fitted.probability("category", known, np.full_like(known, tea))
    np.testing.assert_array_equal(rows["probability"].to_numpy()[::2], expected)


def test_a_longer_horizon_has_more_buyers(run, tmp_path, monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)
    targets = asked(tmp_path, "category:tea\n")
    week, month = tmp_path / "7.parquet", tmp_path / "21.parquet"
    assert run("score", "--targets", targets, "--out", week) == 0
    assert run("score", "--targets", targets, "--out", month, "--horizon-days", "21") == 0
    means = [np.mean(pq.read_table(path)["probability"].to_numpy()) for path in (week, month)]
    assert means[1] > means[0]


def test_bad_input_an_unknown_target_leaves_the_file_as_it_was(run, tmp_path, capsys) -> None:
    out = tmp_path / "out.parquet"
    out.write_bytes(b"of yesterday")
    targets = asked(tmp_path, "category:tea\ncategory:shoes\n")
    assert run("score", "--targets", targets, "--out", out) == 1
    assert f"{targets}, line 2: category 'shoes'" in capsys.readouterr().err
    assert out.read_bytes() == b"of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked.txt", "out.parquet"]


def test_bad_input_a_file_that_is_not_there(run, tmp_path, capsys) -> None:
    assert run("score", "--targets", tmp_path / "no.txt", "--out", tmp_path / "out") == 2
    assert "does not exist" in capsys.readouterr().err


def test_bad_input_a_folder_that_is_not_there(run, tmp_path, capsys) -> None:
    targets = asked(tmp_path, "any\n")
    assert run("score", "--targets", targets, "--out", tmp_path / "no" / "out.parquet") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_stopping_leaves_nothing_half_done(run, tmp_path, monkeypatch) -> None:
    first = bulk.probabilities

    def stopped(*arguments):
        yield next(first(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "probabilities", stopped)
    out = tmp_path / "out.parquet"
    assert run("score", "--targets", asked(tmp_path, "any\n"), "--out", out) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["asked.txt"]


def test_recommend_writes_lists_and_who_is_unknown(run, tmp_path, capsys) -> None:
    out = tmp_path / "out.parquet"
    customers = asked(tmp_path, "c01\nnobody\nc05\n")
    assert run("recommend", "--customers", customers, "--limit", "3", "--out", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    rows = pq.read_table(out).to_pylist()
    assert [(row["customer_id"], row["rank"]) for row in rows] == [
        (who, rank) for who in ("c01", "c05") for rank in (1, 2, 3)
    ]
    assert not shop.NOT_SOLD & {row["item_id"] for row in rows}
    assert report["unknown_customers"] == 1
    unknown = json.loads(Path(report["unknown_in"]).read_text())
    assert (unknown["line"], unknown["row"]) == (2, "nobody")
    assert run("recommend", "--limit", "3", "--out", out) == 0  # everyone: none is unknown
    assert not Path(report["unknown_in"]).exists()


def test_an_unknown_id_that_is_no_text_is_listed(run, tmp_path) -> None:
    out, customers = tmp_path / "out.parquet", tmp_path / "asked.json"
    customers.write_text('["c01", "half a \\ud83d"]')
    assert run("recommend", "--customers", customers, "--out", out) == 0
    unknown = json.loads(out.with_name("out.parquet.unknown.ndjson").read_text())
    assert unknown["row"] == "half a \ud83d"


def test_nothing_is_written_beside_a_pipe(run, tmp_path) -> None:
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    assert run("recommend", "--customers", asked(tmp_path, "c01\nnobody\n"), "--out", pipe) == 0
    reader.join(timeout=10)
    assert heard[0][:4] == b"PAR1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked.txt", "pipe"]


def test_recommended_is_what_the_snapshot_publishes(run, night, tmp_path) -> None:  # noqa: F811
    out = tmp_path / "out.parquet"
    assert run("recommend", "--limit", "8", "--out", out) == 0
    rows = pq.read_table(out).to_pylist()
    items = night.snapshot.items()["item_id"].to_pylist()
    for published in night.snapshot.scores().to_pylist()[:10]:
        mine = [r["item_id"] for r in rows if r["customer_id"] == published["customer_id"]]
        assert mine == [items[index] for index in published["item_index"]]


def test_bad_input_customers_none_of_whom_is_known(run, tmp_path, capsys) -> None:
    customers = asked(tmp_path, "nobody\n")
    assert run("recommend", "--customers", customers, "--out", tmp_path / "out.parquet") == 1
    assert "line 1: 'nobody'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["asked.txt"]
