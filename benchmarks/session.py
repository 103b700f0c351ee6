"""The session folded in at send time, judged by what the customer then did.

    python -m benchmarks.session [--task NAME ...] [--data FOLDER] [--earlier N ...] [--choose]

A night is learned from before a cut-off; then the customers' next day is played. Before a purchase
(or a click) the list that the answer would show is made of the night's list and of what the
customer had looked at and carted since the cut-off, by plugin.content.session itself:

- buy, click (Taobao): the next item bought, or looked at, after views, favourites and carts;
- basket (The Complete Journey): half of a basket is taken as carted, the other half is next, and
  what lies in the cart is not shown.

"new": of those, items that the customer had not touched in the session. Rivals: the night's list
alone, and the items of the session itself, newest first, before the night's. A question has an
event of the session before it; without any, the answer is the night's own list by construction.
``--earlier N ...``: these nights back, to choose there (the weights were chosen on 1 2 3, and the
basket's on 2); ``--choose`` compares weights. Customers are drawn with replacement for the 95 %
interval of the difference to the night alone. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.tasks import NOVEMBER, completejourney, taobao
from benchmarks.tasks.data import Data, add_option
from plugin.content import session
from plugin.content.session import Pairs, Weights
from scoring import relations
from scoring.columns import CART, INTEREST, VIEW
from scoring.history import BOUGHT, History
from scoring.ranking import best, recommendable
from scoring.store.recent_record import RecentEvent

LENGTH = 10
PUBLISHED, RELATED = 50, 20  # as ModelSettings
DAY = 24  # hours
TAOBAO_NIGHT = int(np.datetime64("2017-12-01T16", "h").astype(int))
KIND = {"pv": VIEW, "cart": CART, "fav": INTEREST}
DRAWS = 1000
NIGHT, FOLDED, RECENT = "night alone", "session folded in", "the session's items first"


Row = NDArray[np.float64]
Night = list[tuple[int, float, tuple[int, ...]]]  # item, probability, reasons; best first


class Question(NamedTuple):
    """``night``: (item, probability) best first; ``recent``: newest first; ``goal``: item."""

    customer: int
    night: Night
    recent: tuple[RecentEvent, ...]
    goal: int


class Questions(NamedTuple):
    """Of one night. ``related``, ``together``: item → its list; ``sold``, ``category``: of each
    item; ``number``: id → item; ``keeps``: what the customer touched may be shown."""

    asked: list[Question]
    related: Mapping[int, Pairs]
    together: Mapping[int, Pairs]
    sold: Sequence[float]
    category: Sequence[int]
    number: Mapping[str, int]
    keeps: bool

    def beside(self, item: int) -> tuple[Pairs, Pairs]:
        return self.related.get(item, ()), self.together.get(item, ())

    def touched(self, question: Question) -> list[int]:
        """Items of the session, newest first."""
        return [self.number[event.item_id] for event in question.recent]


def of_night(history: History, cutoff: int, customers: Sequence[int]) -> dict[int, Night]:
    """Each customer's published list, by the model of a night."""
    fitted = ours.fit(history, cutoff, 7, "item")
    wanted = np.array(sorted(customers), dtype=np.int32)
    pairs = recommendable(history, fitted, customers=wanted)
    scores = fitted.preference(*pairs)
    ranked = best(*pairs, scores, history.n_customers, PUBLISHED)
    nights = {}
    for customer in wanted.tolist():
        own = slice(ranked.start[customer], ranked.start[customer + 1])
        items, chances = ranked.target[own].tolist(), ranked.probability[own].tolist()
        nights[customer] = [(item, p, ()) for item, p in zip(items, chances, strict=True)]
    return nights


def prepared(
    asked: list[Question], history: History, cutoff: int, number: Mapping[str, int], *, keeps: bool
) -> Questions:
    """With the lists and shares that the night publishes."""
    baskets = relations.Baskets.of(history, cutoff)
    related = relations.related(baskets, RELATED)
    together = relations.bought_together(baskets, RELATED)
    sold = relations.sold(baskets).tolist()
    category = history.catalogue.of_item["category"].tolist()
    return Questions(asked, _pairs(related), _pairs(together), sold, category, number, keeps)


def _pairs(table: relations.Relations) -> dict[int, Pairs]:
    return {
        int(item): [
            (int(other), float(score))
            for other, score in zip(table.target[item], table.score[item], strict=True)
            if other >= 0
        ]
        for item in np.flatnonzero(table.target[:, 0] >= 0)
    }


def taobao_questions(data: Data, nights_back: int, goal: str) -> Questions:
    """``goal``: the behaviour that is asked for, ``buy`` or ``pv``. A day's clicks of a customer
    ask once, in their middle."""
    cutoff = TAOBAO_NIGHT - nights_back * DAY
    history = taobao.read(data, cutoff)
    number = {name: at for at, name in enumerate(history.catalogue.names["item"].tolist())}
    days: dict[str, list[tuple[int, str, str]]] = {}
    with gzip.open(data.file(taobao.FILE), "rt") as file:
        for line in file.read().splitlines():
            parts = line.split(",")
            if len(parts) == 5 and parts[4].isdigit():
                at_s = int(parts[4])
                if cutoff * 3600 <= at_s < (cutoff + DAY) * 3600:
                    days.setdefault(parts[0], []).append((at_s, parts[3], parts[1]))
    who = {name: at for at, name in enumerate(history.customers.tolist())}
    nights = of_night(history, cutoff, [who[name] for name in days])
    asked = []
    for name, events in sorted(days.items()):
        events.sort()
        for at in _asked_at(events, goal):
            before = [e for e in events[:at] if e[1] in KIND]
            if before:
                recent = tuple(RecentEvent(KIND[k], i, s) for s, k, i in reversed(before))
                asked.append(Question(who[name], nights[who[name]], recent, number[events[at][2]]))
    return prepared(asked, history, cutoff, number, keeps=True)


def _asked_at(events: Sequence[tuple[int, str, str]], goal: str) -> list[int]:
    at = [position for position, event in enumerate(events) if event[1] == goal]
    return at[len(at) // 2 :][:1] if goal == "pv" else at


def basket_questions(data: Data, weeks_back: int) -> Questions:
    """Of each basket of two items or more in the week after the cut-off, half is in the cart."""
    cutoff = NOVEMBER - weeks_back * 7 * DAY
    history = completejourney.read(data, cutoff)
    random = np.random.default_rng(1)
    customer, item, hour = history.select(BOUGHT, start=cutoff, end=cutoff + 7 * DAY)
    baskets: dict[tuple[int, int], set[int]] = {}
    for each in zip(customer.tolist(), hour.tolist(), item.tolist(), strict=True):
        if each[2] >= 0:
            baskets.setdefault(each[:2], set()).add(each[2])
    nights = of_night(history, cutoff, list({key[0] for key in baskets}))
    asked = []
    for (who, at), items in sorted(baskets.items()):
        if len(items) < 2:
            continue
        shuffled = random.permutation(sorted(items)).tolist()
        carted = shuffled[: len(shuffled) // 2]
        recent = tuple(RecentEvent(CART, str(i), at * 3600 - n * 60) for n, i in enumerate(carted))
        asked += [Question(who, nights[who], recent, goal) for goal in shuffled[len(carted) :]]
    number = {str(each): each for each in range(history.catalogue.n_items)}
    return prepared(asked, history, cutoff, number, keeps=False)


def shown(questions: Questions, question: Question, method: str, weights: Weights) -> list[int]:
    """The list of ten that a method shows."""
    own = [item for item, _, _ in question.night]
    touched = questions.touched(question)
    if method == RECENT:
        own = list(dict.fromkeys([*touched, *own]))
    if method == FOLDED:
        found = session.signals(question.recent, questions.number.get, 0, weights)
        done = session.effect(found, questions.beside, questions.sold, weights)
        sight = session.InSight.of(found, questions.category)
        own = [item for item, _, _ in session.fold(question.night, done, sight, weights)]
    if not questions.keeps:
        own = [item for item in own if item not in touched]
    return own[:LENGTH]


def gains(nights: Sequence[Questions], method: str, weights: Weights) -> Row:
    """float64[n, 4] a question: customer, whether the goal is new, hit, discounted gain."""
    rows = []
    for questions in nights:
        for question in questions.asked:
            best = shown(questions, question, method, weights)
            hit = question.goal in best
            gain = 1 / np.log2(best.index(question.goal) + 2) if hit else 0.0
            new = question.goal not in questions.touched(question)
            rows.append((question.customer, new, hit, gain))
    return np.array(rows, dtype=np.float64)


def interval(difference: Row, customer: Row) -> tuple[float, float]:
    """95 %, customers drawn with replacement."""
    who, of = np.unique(customer, return_inverse=True)
    total = np.bincount(of, difference)
    count = np.bincount(of)
    random = np.random.default_rng(1)
    drawn = random.integers(len(who), size=(DRAWS, len(who)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def table(task: str, nights: Sequence[Questions]) -> dict[str, dict[str, float]]:
    """Prints and returns what each method reaches."""
    out: dict[str, dict[str, float]] = {}
    base = gains(nights, NIGHT, session.WEIGHTS)
    methods = (NIGHT, FOLDED, RECENT) if nights[0].keeps else (NIGHT, FOLDED)
    for only_new in (False, True) if nights[0].keeps else (False,):
        part = base[:, 1] > 0 if only_new else np.ones(len(base), dtype=bool)
        name = f"{task}_new" if only_new else task
        print(f"\n## {name}: {int(part.sum())} questions\n")
        for method in methods:
            found = gains(nights, method, session.WEIGHTS)[part]
            hit, gain = found[:, 2].mean(), found[:, 3].mean()
            low, high = interval(found[:, 3] - base[part][:, 3], found[:, 0])
            print(f"{method:28} hr10 {hit:.3f}  ndcg10 {gain:.3f}  ({low:+.3f} … {high:+.3f})")
            out[f"{name}: {method}"] = {"hr10": round(hit, 4), "ndcg10": round(gain, 4)}
    return out


def compare(nights: Sequence[Questions]) -> None:
    """What other weights would reach, one changed at a time."""
    one = session.WEIGHTS
    kinds = [{VIEW: 1.0, INTEREST: 1.0, CART: cart} for cart in (1.0, 2.0, 3.0)]
    changes: Mapping[str, Sequence[Any]] = {
        "kind": kinds,
        "itself": (0.0, 0.05, 0.1, 0.2),
        "beside": (0.0, 0.02, 0.05, 0.1, 0.3),
        "together": (0.0, 0.1, 0.25, 0.5),
        "category": (0.0, 0.5, 1.0, 2.0),
        "half_life_s": tuple(hours * 3600.0 for hours in (1, 3, 8)),
    }
    for name, values in changes.items():
        for value in values:
            found = gains(nights, FOLDED, one._replace(**{name: value}))
            new = found[found[:, 1] > 0]
            print(f"{name} {value!s:50} all {found[:, 3].mean():.4f} new {new[:, 3].mean():.4f}")


TASKS: Mapping[str, Callable[[Data, int], Questions]] = {
    "buy": lambda data, back: taobao_questions(data, back, "buy"),
    "click": lambda data, back: taobao_questions(data, back, "pv"),
    "basket": basket_questions,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--earlier", type=int, nargs="+", default=[0], metavar="N")
    parser.add_argument("--choose", action="store_true", help="compare weights")
    add_option(parser)
    arguments = parser.parse_args()
    document: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        data = Data(arguments.data, Path(cache))
        for task in arguments.task:
            if task != "basket" and data.folder is None:
                print(f"\n## {task}: left out, it needs --data FOLDER")
                continue
            nights = [TASKS[task](data, back) for back in arguments.earlier]
            document |= table(task, nights)
            if arguments.choose:
                compare(nights)
    print(json.dumps(document))


if __name__ == "__main__":
    main()
