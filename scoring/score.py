"""Tonight's scores: everything that a snapshot publishes, computed from the fitted models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring import extras, news, ranking, relations, replenishment
from scoring.behaviour import Behaviour
from scoring.diversity import Variety
from scoring.fitted import ANY, Fitted
from scoring.history import History
from scoring.identity import Identity
from scoring.news import Before
from scoring.progress import Progress
from scoring.ranking import Ranked
from scoring.reasons.lists import item_reasons
from scoring.snapshot_schema import SnapshotTables
from settings.workspace import ContentSettings, ModelSettings

POPULAR_ITEMS = 200


@dataclass(frozen=True)
class Past:
    """What a night knows beside the history. ``items``: row by row its catalogue, as
    features.item_table gives them; ``before``: the snapshot before; ``now``: of the night."""

    identity: Identity
    items: pa.Table
    behaviour: Behaviour
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
    steps = 7
    items, today = past.items, news.day_of(past.now)
    item_pairs = ranking.recommendable(
        history, fitted, exclude_bought_days=content.exclude_bought_days
    )
    preference = fitted.preference(*item_pairs)
    variety = Variety.of(items, history.catalogue, content.diversity)
    ranked_items = variety.best(
        *item_pairs, preference, history.n_customers, models.published_items
    )
    typical = replenishment.repeat_days(history, fitted.cutoff)
    due = replenishment.due(history, fitted.cutoff, item_pairs, preference, typical)
    expected = np.bincount(item_pairs[0], preference, history.n_customers).astype(np.float32)
    progress("score", 1, steps)
    lists: dict[str, Ranked] = {}
    limits = {"brand": models.published_brands, "category": models.published_categories}
    for step, (level, limit) in enumerate(limits.items(), start=2):
        pairs = fitted.levels[level].candidates()
        probability = fitted.probability(level, *pairs)
        lists[level] = ranking.best(*pairs, probability, history.n_customers, limit)
        progress("score", step, steps)
    everyone = np.arange(history.n_customers, dtype=np.int32)
    shops = fitted.probability(ANY, everyone, np.zeros_like(everyone))
    progress("score", 4, steps)
    baskets = relations.Baskets.of(history, fitted.cutoff)
    related = relations.table(history, baskets, models.related_items)
    progress("score", 5, steps)
    changed = news.item_columns(items, history, past.before, past.now)
    arrivals = news.arrivals(
        history, fitted, changed[c.NEW_SINCE].to_numpy(), today, np.random.default_rng(models.seed)
    )
    progress("score", 6, steps)
    out = SnapshotTables(
        items=_with(
            items,
            changed
            | {
                c.REPEAT_DAYS: pa.array(typical),
                c.SOLD: pa.array(relations.sold(baskets), pa.float32()),
            },
        ),
        brands=pa.table(
            {c.BRAND: pa.array(history.catalogue.names["brand"].tolist(), pa.string())}
        ),
        categories=pa.table(
            {c.CATEGORY: pa.array(history.catalogue.names["category"].tolist(), pa.string())}
        ),
        scores=pa.table(
            {
                c.CUSTOMER_ID: pa.array(history.customers.tolist(), pa.string()),
                **_columns(c.ITEM_INDEX, c.ITEM_PROBABILITY, ranked_items),
                **_columns(c.BRAND_INDEX, c.BRAND_PROBABILITY, lists["brand"]),
                **_columns(c.CATEGORY_INDEX, c.CATEGORY_PROBABILITY, lists["category"]),
                c.PURCHASE_PROBABILITY: shops,
                c.EXPECTED_PURCHASES: expected,
                c.ITEM_REASONS: item_reasons(fitted, ranked_items, models.reasons_items),
                **extras.score_columns(past.identity.customers, past.behaviour, due, today),
            }
        ),
        identifiers=_aliases(past.identity.identifiers),
        related=related,
        popular=_popular(history, fitted),
        arrivals=arrivals,
    )
    progress("score", 7, steps)
    return out


def _with(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


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
    """All identifiers but those that are the customer's id itself, or only its hash."""
    same = np.array(
        [
            kind == c.CUSTOMER_HASH or (kind == c.EXTERNAL_ID and identifier == customer)
            for kind, identifier, customer in zip(
                *(identifiers[n].to_pylist() for n in identifiers.column_names), strict=True
            )
        ],
        dtype=bool,
    )
    return identifiers.filter(pa.array(~same))


def _columns(index: str, probability: str, ranked: Ranked) -> dict[str, pa.Array]:
    offsets = pa.array(ranked.start, pa.int32())
    return {
        index: pa.ListArray.from_arrays(offsets, pa.array(ranked.target, pa.uint32())),
        probability: pa.ListArray.from_arrays(offsets, pa.array(ranked.probability, pa.float32())),
    }
