"""Up to three reasons a pair, from the stacker's own contributions.

A group of features is a reason if it raises the log-odds by enough, for itself and beside the
strongest, and if what its sentence tells is a fact of the pair's description.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.level import Level
from scoring.models import Floats
from scoring.models.contributions import contributions
from scoring.models.stacker import Stacker
from scoring.reasons.facts import Described, Packed, sayable
from scoring.reasons.groups import OF_THE_CUSTOMER, OF_THE_TARGET, columns_of
from scoring.reasons.reason import LIMITS, MOST_REASONS, SHIFTS

LEAST = 0.1  # log-odds that a reason adds at least: a tenth more likely
LEAST_SHARE = 0.15  # of what the strongest reason of the pair adds
BEST_SELLERS = 0.1  # share of the targets sold in four weeks that are best sellers

# scores of what pairs have in common: nothing at 0 and below, unlike the affinity
_LIKENESS = ("ease.", "temporal.", "factors.", "content.taste", "content.alike")

# a wider habit that was on the same days says nothing beside the narrower one
_WIDER = (
    ("bought", "brand"), ("bought", "category"), ("bought", "shops"), ("brand", "category"),
    ("bought", "kind"), ("kind", "category"),
)  # fmt: skip


def explain_members(features: Sequence[str], stacker: Stacker, x: Floats) -> Packed:
    """uint32[n, 3]: why each of these customers, for one target; see ``explain``.

    What is the same for every customer (a best seller) is no reason for one of them.
    """
    return explain(features, stacker, x, leave_out=OF_THE_TARGET)


def explain_items(level: Level, stacker: Stacker, x: Floats) -> Packed:
    """uint32[n, 3]: why each of these items (or brands, categories) for its customer.

    What is the same for all of a customer's items (shops often) is no reason for one of them.
    """
    least = best_seller_share(level)
    return explain(level.features, stacker, x, leave_out=OF_THE_CUSTOMER, best_seller_from=least)


def explain(
    features: Sequence[str],
    stacker: Stacker,
    x: Floats,
    *,
    leave_out: frozenset[str] = frozenset(),
    best_seller_from: float = np.inf,
) -> Packed:
    """uint32[n, 3]: reasons as ``reason.decode`` reads them, strongest first, 0 = no more.

    ``x``: float32[n, k], pairs as the level described them to the stacker, columns named by
    ``features``; ``leave_out``: codes not to be told; ``best_seller_from``: share of customers.
    Raises ValueError if there are not as many columns as features.
    """
    if x.shape[1] != len(features):
        raise ValueError(f"{len(features)} features, but x has {x.shape[1]} columns")
    described = Described(tuple(features), x, best_seller_from)
    added = contributions(stacker.nodes, stacker.tree_start, stacker.baseline, x)
    groups = {code: at for code, at in columns_of(features).items() if code not in leave_out}
    if not groups or len(x) == 0:
        return np.zeros((len(x), MOST_REASONS), dtype=np.uint32)
    strength = np.column_stack([added[:, at].sum(axis=1) for at in groups.values()])
    said = np.column_stack([sayable(code, described) for code in groups])
    for position, at in enumerate(groups.values()):
        said[~_rests_on_something_known(described, added, at), position] = 0
    strength[said == 0] = -np.inf
    least = np.maximum(LEAST, LEAST_SHARE * strength.max(axis=1, keepdims=True))
    said[strength < least] = 0
    _drop_repetitions(said, list(groups))
    strength[said == 0] = -np.inf
    order = np.argsort(-strength, axis=1, kind="stable")[:, :MOST_REASONS]
    out = np.zeros((len(x), MOST_REASONS), dtype=np.uint32)
    out[:, : order.shape[1]] = np.take_along_axis(said, order, axis=1)
    return out


def best_seller_share(level: Level) -> float:
    """Share of customers from which a target is among the best sellers of four weeks."""
    popularity = level.scorers.get("popularity")
    if popularity is None:
        return np.inf
    share = popularity.table[:, popularity.features.index("buyers_28d")]
    sold = share[share > 0]
    return float(np.quantile(sold, 1 - BEST_SELLERS)) if len(sold) else np.inf


def _rests_on_something_known(
    described: Described, added: Floats, columns: list[int]
) -> NDArray[np.bool_]:
    """bool[n]: the feature that adds most is a number, and no score of nothing in common.

    An unknown value may speak for a pair, but never makes a sentence about it true.
    """
    strongest = np.asarray(columns)[np.argmax(added[:, columns], axis=1)]
    value = described.x[np.arange(len(described.x)), strongest]
    likeness = np.array([name.startswith(_LIKENESS) for name in described.features])
    return np.isfinite(value) & ((value > 0) | ~likeness[strongest])


def _drop_repetitions(said: Packed, codes: list[str]) -> None:
    """Blanks a habit of the brand, category or shop with the same days as a narrower one."""
    parameters = np.uint32((LIMITS[0] << SHIFTS[0]) | LIMITS[1])
    for narrow, wide in _WIDER:
        if narrow in codes and wide in codes:
            one, other = said[:, codes.index(narrow)], said[:, codes.index(wide)]
            other[(one > 0) & ((one & parameters) == (other & parameters))] = 0
