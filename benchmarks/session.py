"""The session folded in at send time, judged by what the customer then did.

    python -m benchmarks.session [--task NAME ...] [--data FOLDER] [--earlier N] [--choose]

A night is learned from before a cut-off; then each customer's events of the day are played. At a
purchase (or at a click) the list that the answer would show is made from the night's list and from
what the customer had looked at and carted since the cut-off, by plugin.content.session itself:

- taobao_buy, taobao_click: the next item bought, or looked at, after views, favourites and carts;
  ``_new``: of those, items that the customer had not yet touched in the session;
- cj_basket: half of a basket is taken as carted, the other half is what is bought next.

Rivals: the night's list alone, and the items of the session itself, newest first. A question has
at least one event of the session before it; without any, the answer is the night's own.
``--earlier N``: N nights back, to choose there; ``--choose`` compares weights. Customers are drawn
with replacement for the 95 % intervals of differences. The last line is JSON.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks import ours
from benchmarks.tasks import NOVEMBER, completejourney, taobao
from benchmarks.tasks.data import Data
from plugin.content.session import Pairs
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


Night = list[tuple[int, float, tuple[int, ...]]]  # item, probability, reasons; best first


class Question(NamedTuple):
    """``night``: (item, probability) best first; ``recent``: newest first; ``goal``: item."""

    customer: int
    night: Night
    recent: tuple[RecentEvent, ...]
    goal: int


class Questions(NamedTuple):
    """Of one night; ``related``, ``together``: item → its list; ``number``: id → item."""

    asked: list[Question]
    related: Mapping[int, Pairs]
    together: Mapping[int, Pairs]
    number: Mapping[str, int]


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


def lists_of(history: History, cutoff: int) -> tuple[Mapping[int, Pairs], Mapping[int, Pairs]]:
    """Item → what comes next, and what comes with it, as published."""
    baskets = relations.Baskets.of(history, cutoff)
    tables = relations.related(baskets, RELATED), relations.bought_together(baskets, RELATED)
    return _pairs(tables[0]), _pairs(tables[1])


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
    return Questions(asked, *lists_of(history, cutoff), number)


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
    return Questions(asked, *lists_of(history, cutoff), number)
