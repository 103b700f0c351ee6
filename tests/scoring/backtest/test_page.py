"""The page holds what the JSON holds, whatever that is, and nothing that a browser would load."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.backtest import lists, report
from scoring.backtest.page import LANGUAGES, render
from scoring.backtest.page_texts import NAMES, TEXTS
from scoring.backtest.ranking import LENGTH, evaluate, observe
from scoring.backtest.reliability import Reliability
from scoring.backtest.report import MODEL, RULES, Results
from scoring.backtest.run import BacktestReport, CutoffReport, Plan
from scoring.backtest.targeting import observe as observe_targets
from settings.workspace import WorkspaceSettings
from tests.shop import NOW_HOUR, history, make_shop

WEEK = 7 * 24
VOID = {"meta", "link", "br", "img", "path", "circle", "hr", "input"}
ATTACK = "<script>alert('1')</script>\"&"


class Tags(HTMLParser):
    """Every tag that is opened must be closed again."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def judged(level: str, *, targets: int | None = None, name: str | None = None) -> report.Judged:
    """The shop's own days as probabilities: no training is needed for a page."""
    past = history(make_shop(), before=None)
    outcome = observe_targets(past, level, NOW_HOUR, WEEK, min_buyers=3)
    if targets is not None:
        outcome = observe_targets(
            past, level, NOW_HOUR, WEEK, targets=outcome.panel.target[:targets], min_buyers=1
        )
    random = np.random.default_rng(2)
    methods = {MODEL: lambda p: random.random(p.shape) * 0.4} | dict(RULES)
    found = report.judge(outcome, methods)
    if name is not None:
        names = [name, *found.targeting.targets[1:]]
        found = replace(found, targeting=replace(found.targeting, targets=names))
    return found


def document(*levels: report.Judged, cutoffs: int = 1, ranked: bool = False) -> dict[str, Any]:
    rankings = []
    if ranked:
        past = history(make_shop(), before=None)
        baskets = observe(past, "item", NOW_HOUR, WEEK)
        best = np.tile(np.arange(LENGTH, dtype=np.int32), (len(baskets.panel.customer), 1))
        both = {MODEL: best, "best sellers": best[:, :5]}
        rankings = [evaluate(baskets, both, new_only=new) for new in (False, True)]
    known = {"customers": 120, "items": 60, "purchases_before": 900, "purchases_after": 90}
    results = Results(list(levels), {"brand": "the catalogue has no brand"}, ["brand"])
    one = CutoffReport(datetime(2026, 3, 1, tzinfo=UTC), "s1", known, results, rankings, 1.0)
    workspace = WorkspaceSettings(workspace="shop", file=Path("shop.yaml"), sources=())
    whole = BacktestReport(workspace, Plan(), [one] * cutoffs).to_json()
    return json.loads(json.dumps(whole, allow_nan=False))


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.split("</style>")[1]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_tells_how_many_buyers_of_a_hundred_are_found(language) -> None:
    made = document(judged("category"), judged("item"), ranked=True)
    page = render(made, language)
    found = made["levels"]["category"]["methods"]
    text = words_of(page)
    ours, rule = (round(20 * found[m]["lift@20"]["mean"]) for m in (MODEL, "rule 90 days"))
    assert TEXTS[language]["lead_category"].format(ours=ours, percent=20) in text
    assert TEXTS[language]["lead_rest"].format(rule=rule, percent=20) in text
    assert f'lang="{language}"' in page
    assert "2026-03-01 00:00" in text
    for method in found:
        assert NAMES[language][method] in text
    assert "nan" not in text.lower().replace("finance", "")
    assert "None" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_asks_for_nothing(language) -> None:
    page = render(document(judged("category"), ranked=True, cutoffs=2), language)
    tags = Tags(page)
    assert tags.open == []
    assert "script" not in tags.seen and "img" not in tags.seen and "link" not in tags.seen
    assert tags.addresses == ["#results"]
    assert "url(" not in page and "@import" not in page and "http" not in page.split("<body>")[1]


def test_every_word_is_there_in_every_language() -> None:
    assert TEXTS["en"].keys() == TEXTS["ko"].keys()
    assert NAMES["en"].keys() == NAMES["ko"].keys()
    for key, text in TEXTS["en"].items():
        holes = set(re.findall(r"{\w+}", text))
        assert holes == set(re.findall(r"{\w+}", TEXTS["ko"][key])), key


def test_one_target_has_a_page_without_a_band() -> None:
    made = document(judged("category", targets=1))
    page = render(made, "en")
    assert 'class="band' not in page
    assert made["levels"]["category"]["methods"][MODEL]["auc"]["low"] is not None  # over customers


def test_bad_input_nothing_could_be_judged() -> None:
    text = words_of(render(document(), "en"))
    assert "Nothing could be judged." in text
    assert "brand: the catalogue has no brand" in text


def test_bad_input_figures_that_are_none() -> None:
    level = judged("category")
    nothing = {
        method: {name: np.full_like(values, np.nan) for name, values in found.items()}
        for method, found in level.targeting.measures.items()
    }
    curves = {method: np.full_like(curve, np.nan) for method, curve in level.curves.items()}
    level = replace(
        level, targeting=replace(level.targeting, measures=nothing), curves=curves,
        reliability=Reliability.none(),
    )  # fmt: skip
    page = render(document(level), "en")
    assert Tags(page).open == []
    assert "Of 100 buyers of a category, – are among" in words_of(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_input_a_name_that_is_markup_stays_a_name(language) -> None:
    made = document(judged("category", name=ATTACK))
    made |= {"workspace": ATTACK, "command": ATTACK}
    page = render(made, language)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert Tags(page).open == []


def test_bad_input_a_language_that_the_page_does_not_speak_is_english() -> None:
    assert 'lang="en"' in render(document(), "xx")


def test_cutoffs_of_lists_add_their_customers() -> None:
    past = history(make_shop(), before=None)
    baskets = observe(past, "item", NOW_HOUR, WEEK)
    best = np.tile(np.arange(LENGTH, dtype=np.int32), (len(baskets.panel.customer), 1))
    one = evaluate(baskets, {MODEL: best})
    both = lists.combine([one, one])
    assert both.customers == 2 * one.customers
    assert both.mean(MODEL, "recall@10") == pytest.approx(one.mean(MODEL, "recall@10"))


def test_ragged_lists_are_filled_up() -> None:
    start, target = np.array([0, 2, 2, 3]), np.array([7, 8, 9], dtype=np.int32)
    filled = lists.padded(start, target, np.array([0, 1, 2], dtype=np.int32))
    assert [[t for t in row if t >= 0] for row in filled.tolist()] == [[7, 8], [], [9]]
    assert lists.padded(np.zeros(2, int), target[:0], np.array([0])).tolist() == [[-1] * LENGTH]


def test_parts_of_the_targets_give_what_the_whole_gives(monkeypatch) -> None:
    past = history(make_shop(), before=None)
    outcome = observe_targets(past, "item", NOW_HOUR, WEEK, min_buyers=2)
    whole = report.judge(outcome, RULES)
    monkeypatch.setattr(report, "CELLS", 3 * outcome.panel.shape[1])
    parts = report.judge(outcome, RULES)
    assert parts.targeting.targets == whole.targeting.targets
    for method, found in whole.targeting.measures.items():
        for name, values in found.items():
            np.testing.assert_array_equal(parts.targeting.measures[method][name], values)
        np.testing.assert_array_equal(parts.curves[method], whole.curves[method])


def test_reliability_of_true_probabilities_lies_on_the_diagonal() -> None:
    random = np.random.default_rng(3)
    said = random.random(200_000) ** 4
    found = Reliability.of(said, random.random(200_000) < said)
    assert found.expected_over_observed == pytest.approx(1, abs=0.02)
    assert found.to_json()["calibration_error"] < 0.004
    rows = found.by_buyers()
    assert len(rows) == 10
    assert sum(row["low"] <= row["expected"] <= row["high"] for row in rows) >= 8
    expected = [row["expected"] * row["count"] for row in rows]
    assert expected == pytest.approx([said.sum() / 10] * 10, rel=0.1)


def test_reliability_adds_up() -> None:
    said, came = np.array([0.1, 0.2, 0.9]), np.array([False, True, True])
    parts = Reliability.of(said[:1], came[:1]) + Reliability.of(said[1:], came[1:])
    assert parts.to_json() == Reliability.of(said, came).to_json()


def test_bad_input_reliability_of_nothing_and_of_certainties() -> None:
    assert Reliability.none().to_json()["calibration_error"] is None
    assert Reliability.none().by_buyers() == []
    sure = Reliability.of(np.array([0.0, 1.0]), np.array([False, True]))
    assert sure.expected_over_observed == pytest.approx(1)
