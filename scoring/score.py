"""Tonight's scores: everything that a snapshot publishes, computed from the fitted models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring import bought, extras, news, ranking, relations, replenishment
from scoring import columns as c
from scoring.behaviour import Behaviour
from scoring.best_hour import UNKNOWN, Hours
from scoring.diversity import Variety
from scoring.fitted import ANY, Fitted
from scoring.history import History
from scoring.identity import Identity
from scoring.news import Before
from scoring.progress import Progress
from scoring.ranking import Ranked
from scoring.reasons.lists import item_reasons
from scoring.separation import past_of
from scoring.snapshot_schema import SnapshotTables
from settings.workspace import ContentSettings, ModelSettings

POPULAR_ITEMS = 200


@dataclass(frozen=True)
class Past:
    """What a night knows beside the history. ``items``: row by row its catalogue, as
    features.item_table gives them; ``best_hour``: int8[n_customers] of best_hour.best_hours;
    ``before``: the snapshot before; ``now``: of the night."""

    identity: Identity
    items: pa.Table
    behaviour: Behaviour
    best_hour: Hours
    before: Before | None
    now: datetime


def tables(
    history: History,
    fitted: Fitted,
    past: Past,
    models: ModelSettings,
    content: ContentSettings,
    progress: Progress,
) -> SnapshotTables:
    """All tables of a snapshot."""
    steps = 6
    pairs = ranking.recommendable(history, fitted, exclude_bought_days=content.exclude_bought_days)
    preference = fitted.preference(*pairs)
    variety = Variety.of(past.items, history.catalogue, content.diversity)
    typical = replenishment.repeat_days(history, fitted.cutoff)
    unneeded = bought.out(history, fitted.cutoff, typical, content.exclude_bought_days)
    shown = ~unneeded.holds(*pairs)  # in no list yet, but its day is told
    listed = pairs[0][shown], pairs[1][shown], preference[shown]
    ranked = {c.ITEM_INDEX: variety.best(*listed, history.n_customers, models.published_items)}
    due = replenishment.due(history, fitted.cutoff, pairs, preference, typical)
    expected = np.bincount(pairs[0], preference, history.n_customers).astype(np.float32)
    progress("score", 1, steps)
    ranked[c.BRAND_INDEX] = _best(history, fitted, "brand", models.published_brands)
    progress("score", 2, steps)
    ranked[c.CATEGORY_INDEX] = _best(history, fitted, "category", models.published_categories)
    progress("score", 3, steps)
    scores = {
        c.CUSTOMER_ID: pa.array(history.customers.tolist(), pa.string()),
        **_columns(ranked),
        c.PURCHASE_PROBABILITY: _shops(history, fitted),
        c.EXPECTED_PURCHASES: expected,
        c.BEST_HOUR: pa.array(past.best_hour, mask=past.best_hour == UNKNOWN),
        c.ITEM_REASONS: item_reasons(fitted, ranked[c.ITEM_INDEX], models.reasons_items),
        **extras.score_columns(past.identity.customers, past.behaviour, due, news.day_of(past.now)),
        **extras.bought_columns(unneeded, history.n_customers),
    }
    progress("score", 4, steps)
    baskets = relations.Baskets.of(history, fitted.cutoff)
    related = relations.table(history, baskets, models.related_items)
    progress("score", 5, steps)
    items = _items(history, past, typical, baskets)
    out = SnapshotTables(
        items=items,
        brands=_names(history, c.BRAND),
        categories=_names(history, c.CATEGORY),
        scores=pa.table(scores),
        identifiers=_aliases(past.identity.identifiers),
        related=related,
        popular=_popular(history, fitted),
        arrivals=_arrivals(history, fitted, items, past.now, models.seed),
    )
    progress("score", 6, steps)
    return out


def _best(history: History, fitted: Fitted, level: str, limit: int) -> Ranked:
    pairs = fitted.levels[level].candidates()
    probability = fitted.probability(level, *pairs)
    return ranking.best(*pairs, probability, history.n_customers, limit)


def _shops(history: History, fitted: Fitted) -> NDArray[np.float32]:
    """Of every customer, that they buy anything."""
    everyone = np.arange(history.n_customers, dtype=np.int32)
    return fitted.probability(ANY, everyone, np.zeros_like(everyone))


def _items(
    history: History, past: Past, typical: NDArray[np.uint16], baskets: relations.Baskets
) -> pa.Table:
    """The catalogue with what a night knows of it."""
    columns = news.item_columns(past.items, history, past.before, past.now) | {
        c.REPEAT_DAYS: pa.array(typical),
        c.SOLD: pa.array(relations.sold(baskets), pa.float32()),
    }
    table = past.items
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _names(history: History, level: str) -> pa.Table:
    return pa.table({level: pa.array(history.catalogue.names[level].tolist(), pa.string())})


def _arrivals(
    history: History, fitted: Fitted, items: pa.Table, now: datetime, seed: int
) -> pa.Table:
    since, today = items[c.NEW_SINCE].to_numpy(), news.day_of(now)
    return news.arrivals(history, fitted, since, today, np.random.default_rng(seed))


def _popular(history: History, fitted: Fitted) -> pa.Table:
    """Best sellers of the last 28 days that can be bought, with the share of customers who did."""
    popularity = fitted.levels["item"].scorers["popularity"]
    best = popularity.best(history.catalogue.n_items)
    best = best[history.catalogue.sellable[best]][:POPULAR_ITEMS]
    share = popularity.table[best, 1]
    return pa.table(
        {c.ITEM_INDEX: pa.array(best, pa.uint32()), "score": pa.array(share, pa.float32())}
    )


def _aliases(identifiers: pa.Table) -> pa.Table:
    """All identifiers that one may ask for: not the customer's id itself, nor only its hash, nor a
    device as it was in former hands."""
    same = np.array(
        [
            kind == c.CUSTOMER_HASH
            or (kind == c.EXTERNAL_ID and identifier == customer)
            or (kind == c.DEVICE_ID and past_of(identifier) is not None)
            for kind, identifier, customer in zip(
                *(identifiers[n].to_pylist() for n in identifiers.column_names), strict=True
            )
        ],
        dtype=bool,
    )
    return identifiers.filter(pa.array(~same))


_PROBABILITIES = {
    c.ITEM_INDEX: c.ITEM_PROBABILITY,
    c.BRAND_INDEX: c.BRAND_PROBABILITY,
    c.CATEGORY_INDEX: c.CATEGORY_PROBABILITY,
}


def _columns(ranked: Mapping[str, Ranked]) -> dict[str, pa.Array]:
    """Index and probability columns, by the name of the first."""
    found = {}
    for name, each in ranked.items():
        offsets = pa.array(each.start, pa.int32())
        for column, values, kind in (
            (name, each.target, pa.uint32()),
            (_PROBABILITIES[name], each.probability, pa.float32()),
        ):
            found[column] = pa.ListArray.from_arrays(offsets, pa.array(values, kind))
    return found
