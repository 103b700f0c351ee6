"""The backtest as one HTML page: for a marketer at the top, for an engineer below.

It is made from the JSON document and holds nothing else. It asks for no other file, runs no script,
and reads in light, in dark and on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scoring.backtest import charts
from scoring.backtest.page_texts import LANGUAGES, NAMES, TEXTS
from scoring.backtest.ranking import HIT_RATE
from scoring.backtest.report import MODEL
from scoring.backtest.summary import BASE, SHOP_RULE

MOST_TELLING = ("category", "brand", "item", "any")  # the first that was judged is shown first
MEASURES = ("lift@5", "lift@10", "lift@20", "captured@30", "captured@40", "auc")
GROUPS = ("", "repeat_", "new_")
COMPARED = ("lift@10", "lift@20", "captured@30", "auc", "new_lift@10", "new_auc")
OF_TARGET = ("lift@5", "lift@10", "lift@20", "auc", "new_auc")
SHARES = (10, 20)  # percent of the customers that a message goes to
NONE = "–"
_TEMPLATES = Path(__file__).parent / "templates"

Figure = Mapping[str, float | None]


def render(document: Mapping[str, Any], language: str) -> str:
    """The page of ``BacktestReport.to_json()`` in one of LANGUAGES; another one is English."""
    language = language if language in LANGUAGES else "en"
    levels = [document["levels"][name] for name in MOST_TELLING if name in document["levels"]]
    return (
        _environment()
        .get_template("backtest.html")
        .render(
            document=document,
            language=language,
            words=TEXTS[language],
            names=NAMES[language],
            levels=levels,
            reasons={
                name: reason
                for cutoff in document["cutoffs"]
                for name, reason in cutoff["left_out"].items()
                if name not in document["levels"]
            },
            style=(_TEMPLATES / "backtest.css").read_text(encoding="utf-8"),
        )
    )


def found(level: Mapping[str, Any], method: str | None, percent: int, group: str = "") -> Figure:
    """Buyers of a hundred that are among the best ``percent`` of the customers; ``method`` None is
    a random choice."""
    if method is None:
        return dict.fromkeys(("mean", "low", "high"), float(percent))
    figure = level["methods"].get(method, {}).get(f"{group}lift@{percent}")
    if figure is None:
        return dict.fromkeys(("mean", "low", "high"))
    return {key: None if value is None else value * percent for key, value in figure.items()}


def choices(level: Mapping[str, Any]) -> list[str | None]:
    """What the marketer compares: ours, the shop's rule, the best rule if another, luck."""
    rules = [SHOP_RULE, level["best_rule"]]
    return [MODEL, *dict.fromkeys(r for r in rules if r in level["methods"]), None]


def fixed(value: float | None, places: int = 0) -> str:
    return NONE if value is None else f"{value:,.{places}f}"


def signed(value: float | None, places: int = 3) -> str:
    return NONE if value is None else f"{value:+.{places}f}".replace("-", "\N{MINUS SIGN}")


def between(figure: Figure, places: int = 0) -> str:
    """The interval of a figure, or nothing."""
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return ""
    return f"{low:.{places}f}–{high:.{places}f}"


def sign(figure: Figure) -> str:
    """Whether an interval lies above or below zero, as a class of the style sheet."""
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return ""
    return "above" if low > 0 else "below" if high < 0 else ""


def moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"


def off(level: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """How far the predicted number of buyers was from the actual one, in words."""
    ratio = level["expected_over_observed"]
    if ratio is None:
        return ""
    percent = round(100 * (ratio - 1))
    kind = "as_many" if percent == 0 else "too_many" if percent > 0 else "too_few"
    return words[kind].format(percent=abs(percent))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "fixed": fixed, "signed": signed, "between": between, "sign": sign, "moment": moment,
    }  # fmt: skip
    environment.globals |= {
        "found": found, "choices": choices, "off": off,
        "lift_chart": charts.lift, "calibration_chart": charts.calibration,
        "OURS": MODEL, "SHOP_RULE": SHOP_RULE, "BASE": BASE, "HIT_RATE": HIT_RATE,
        "MEASURES": MEASURES, "GROUPS": GROUPS, "COMPARED": COMPARED, "OF_TARGET": OF_TARGET,
        "SHARES": SHARES,
    }  # fmt: skip
    return environment


__all__ = ["LANGUAGES", "render"]
