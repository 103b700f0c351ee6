"""Bulk answers are those of segments and of content, for what a file asks."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from scoring import bulk, model_files
from scoring import history as histories
from scoring.bulk import BulkError, Wish
from scoring.diversity import Variety
from scoring.history import BOUGHT
from tests import nightly_shop as shop
from tests.nights import Night
from tests.shop import no_progress

ALIKE = Variety(np.zeros(0, np.int32), np.zeros(0, np.int32), 0.0)  # leaves lists as they are


@pytest.fixture(scope="module")
def model(night: Night):
    folder = night.snapshot.model
    return histories.load(folder / "history"), model_files.load(folder / "fitted")


def asked(folder: Path, text: str, name: str = "asked.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def all_of(tables) -> pa.Table:
    return pa.concat_tables(list(tables))


FORMS = {
    "targets.txt": "category:tea\n\n brand : brand-1 \nitem:tea-0\nany\ncategory:tea\n",
    "targets.csv": "name,level\ntea,category\nbrand-1,brand\ntea-0,item\n,any\n",
    "targets.json": json.dumps(
        [{"level": "category", "name": "tea"}, {"level": "brand", "name": "brand-1"},
         "item:tea-0", "any"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_targets_are_read_from_text_csv_and_json(model, tmp_path, name) -> None:
    found = bulk.read_targets(asked(tmp_path, FORMS[name], name), model[0])
    assert [each.label for each in found] == ["category:tea", "brand:brand-1", "item:tea-0", "any"]


def test_a_name_may_hold_a_colon(model, tmp_path) -> None:
    with pytest.raises(BulkError, match="category 'a:b'"):
        bulk.read_targets(asked(tmp_path, "category:a:b"), model[0])


def test_bad_input_every_wrong_line_is_named(model, tmp_path) -> None:
    path = asked(tmp_path, "category:tea\ncategory:shoes\nshelf:3\ntea\n")
    with pytest.raises(BulkError) as error:
        bulk.read_targets(path, model[0])
    said = str(error.value)
    assert str(path) in said
    assert "line 2: category 'shoes' is not in the catalogue" in said
    assert "line 3: found 'shelf:3'; line 4: found 'tea'. Expected is item:NAME, " in said
    assert "line 1" not in said


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "\n", "names no target"),
        ("a.csv", "level;name\ncategory;tea\n", "line 1: no column level, name"),
        ("a.csv", "level,name\ncategory,shoes\n", "line 2: category 'shoes'"),
        ("a.json", "{", "is not JSON"),
        ("a.json", '{"level": "category"}', "is not a JSON list"),
        ("a.json", "[3]", "entry 1: found 3"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.csv", "level,name\ncategory," + "x" * 200_000, "line 2: field larger"),
    ],
)
def test_bad_input_files_that_are_not_what_they_seem(model, tmp_path, name, text, said) -> None:
    with pytest.raises(BulkError, match=said):
        bulk.read_targets(asked(tmp_path, text, name), model[0])


def test_bad_input_bytes_that_are_no_text(model, tmp_path) -> None:
    path = tmp_path / "asked.txt"
    path.write_bytes(b"category:t\xe9\n")
    with pytest.raises(BulkError, match="not UTF-8"):
        bulk.read_targets(path, model[0])


def test_every_known_customer_gets_every_target(model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 7)  # several tables
    history, fitted = model
    targets = bulk.read_targets(asked(tmp_path, FORMS["targets.txt"]), history)
    rows = all_of(bulk.probabilities(history, fitted, targets, no_progress))
    known = bulk.known_customers(history, fitted)
    assert rows.num_rows == 4 * len(known)
    assert rows["customer_id"].to_pylist() == np.repeat(history.customers[known], 4).tolist()
    assert rows["target"].to_pylist() == [each.label for each in targets] * len(known)
    tea = int(np.searchsorted(history.catalogue.names["category"], "tea"))
    alone = fitted.probability("category", known, np.full_like(known, tea))
    np.testing.assert_array_equal(rows["probability"].to_numpy()[::4], alone)


def test_customers_are_found_and_the_others_are_named(model, tmp_path) -> None:
    path = asked(tmp_path, "c03\nnobody\nc01\nc03\n")
    found = bulk.read_customers(path, *model)
    assert model[0].customers[found.row].tolist() == ["c03", "c01"]
    assert found.unknown == [(2, "nobody")]


def test_whoever_is_left_is_found_after_an_erasure(model, tmp_path) -> None:
    history, fitted = model
    customers = history.customers.copy()
    customers[customers == "c30"] = ""  # as scoring.segment.forget leaves it
    rest = dataclasses.replace(history, customers=customers)
    found = bulk.read_customers(asked(tmp_path, "\n".join(shop.CUSTOMERS)), rest, fitted)
    assert customers[found.row].tolist() == [who for who in shop.CUSTOMERS if who != "c30"]
    assert found.unknown == [(31, "c30")]


@pytest.mark.parametrize(("name", "text"), [
    ("c.csv", "x,customer_id\n1,c01\n"), ("c.json", '["c01"]'),
    ("c.json", '[{"customer_id": "c01"}]'), ("c.txt", "\r\n c01 \r\n"),
])  # fmt: skip
def test_customers_come_as_csv_and_json_too(model, tmp_path, name, text) -> None:
    found = bulk.read_customers(asked(tmp_path, text, name), *model)
    assert model[0].customers[found.row].tolist() == ["c01"]


def test_ids_may_be_numbers_in_json(model, tmp_path) -> None:
    history, fitted = model
    customers = history.customers.copy()
    customers[:2] = "0", "17"
    rest = dataclasses.replace(history, customers=customers)
    path = asked(tmp_path, '[17, {"customer_id": 0}]', "c.json")
    assert bulk.read_customers(path, rest, fitted).row.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
def test_only_line_feeds_end_a_line(model, tmp_path, name) -> None:
    history, _ = model
    odd = "green\u2028tea\x85"
    names = history.catalogue.names | {"category": np.array([odd])}
    odd_shop = dataclasses.replace(
        history, catalogue=dataclasses.replace(history.catalogue, names=names)
    )
    text = f"level,name\ncategory,{odd}x" if name.endswith("csv") else f"category:{odd}x"
    with pytest.raises(BulkError, match=r"category 'green.u2028tea.x85x' is not"):
        bulk.read_targets(asked(tmp_path, text, name), odd_shop)


@pytest.mark.parametrize("text", ["nobody\n", ""])
def test_bad_input_nobody_who_is_known(model, tmp_path, text) -> None:
    with pytest.raises(BulkError, match="no customer that the model knows"):
        bulk.read_customers(asked(tmp_path, text), *model)


def test_lists_are_complete_ranked_and_sellable(model, monkeypatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 50)
    history, fitted = model
    customers = bulk.known_customers(history, fitted)[::-1]
    wish = Wish(4, exclude_bought_days=2)
    rows = all_of(bulk.recommendations(history, fitted, customers, wish, ALIKE, no_progress))
    assert rows["rank"].to_pylist() == [1, 2, 3, 4] * len(customers)
    assert not shop.NOT_SOLD & set(rows["item_id"].to_pylist())
    score = rows["score"].to_numpy().reshape(-1, 4)
    assert (np.diff(score, axis=1) <= 0).all()
    whole = all_of(bulk.recommendations(history, fitted, customers[5:6], wish, ALIKE, no_progress))
    who = history.customers[customers[5]]
    assert whole.to_pylist() == [row for row in rows.to_pylist() if row["customer_id"] == who]


def test_what_is_not_due_again_is_left_out_when_asked_for(model, monkeypatch) -> None:
    history, fitted = model
    customers = bulk.known_customers(history, fitted)
    lasts = np.full(history.catalogue.n_items, 20, np.uint16)
    monkeypatch.setattr(bulk.replenishment, "repeat_days", lambda *_: lasts)
    buyer, item, _ = history.select(BOUGHT, start=fitted.cutoff - 20 * 24, end=fitted.cutoff)
    names = history.catalogue.names["item"]
    lately = set(zip(history.customers[buyer], names[item], strict=True))

    def listed(wish: Wish) -> set[tuple[str, str]]:
        rows = all_of(bulk.recommendations(history, fitted, customers, wish, ALIKE, no_progress))
        return {(row["customer_id"], row["item_id"]) for row in rows.to_pylist()}

    assert listed(Wish(5, until_due=True))
    assert listed(Wish(5, until_due=True)).isdisjoint(lately)
    assert not listed(Wish(5)).isdisjoint(lately)


def test_only_new_items_are_new(model) -> None:
    history, fitted = model
    customers = bulk.known_customers(history, fitted)
    wish = Wish(5, new_only=True)
    rows = all_of(bulk.recommendations(history, fitted, customers, wish, ALIKE, no_progress))
    names = history.catalogue.names["item"]
    bought = {
        (history.customers[c], names[i])
        for c, i in zip(
            history.customer[history.kind == 0], history.item[history.kind == 0], strict=True
        )
    }
    assert rows.num_rows > len(customers)
    assert not bought & set(
        zip(rows["customer_id"].to_pylist(), rows["item_id"].to_pylist(), strict=True)
    )
