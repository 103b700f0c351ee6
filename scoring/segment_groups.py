"""A group of items as a target of its own, described as the targets of a level are.

Several things with ``any``, a rule, a list: the group becomes one more target of the level, and
every base scorer is fitted anew with it, so that its columns mean what the level's stacker has
learned to read. Only the affinity, which takes long to train, is put together from what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoring.fitted import Fitted
from scoring.history import BOUGHT, Catalogue, History
from scoring.level import Level
from scoring.models import Floats
from scoring.models.affinity import Affinity
from scoring.segment_request import SegmentError


def base_level(catalogue: Catalogue) -> str:
    """The level that a group resembles most: the widest that the shop has."""
    return next((level for level in ("category", "brand") if catalogue.size(level)), "item")


def fit_group(history: History, fitted: Fitted, level: str, inside: NDArray[np.bool_]) -> Level:
    """``level`` fitted once more at the same cut-off; the items ``inside`` (bool[n_items]) are its
    last target and belong to no other of that level.

    Raises SegmentError if the model knows other features than this version.
    """
    before = fitted.levels[level]
    affinity = before.scorers["affinity"]
    targets = np.vstack([affinity.target, _mean_affinity(history, level, affinity.target, inside)])
    grouped = replace(history, catalogue=_with_group(history.catalogue, level, inside))
    trained = Affinity(affinity.customer, {level: targets})
    group = Level.fit(grouped, level, fitted.cutoff, trained, fitted.window_days)
    if group.features != before.features:
        raise SegmentError(
            "the snapshot's model was made by another version: run `rightsend nightly`"
        )
    return group


def _mean_affinity(
    history: History, level: str, targets: Floats, inside: NDArray[np.bool_]
) -> Floats:
    """float32[d]: mean over the purchases of the group (without any: over its items), NaN if no
    item of it belongs to the level."""
    item = history.item[(history.kind == BOUGHT) & (history.item >= 0)]
    for items in (item[inside[item]], np.flatnonzero(inside)):
        number = history.catalogue.of_item[level][items]
        times = np.bincount(number[number >= 0], minlength=len(targets))
        if times.any():
            return np.asarray(times @ targets / times.sum(), dtype=np.float32)
    return np.full(targets.shape[1], np.nan, dtype=np.float32)


def _with_group(catalogue: Catalogue, level: str, inside: NDArray[np.bool_]) -> Catalogue:
    """The catalogue with one more target, to which these items belong."""
    size = catalogue.size(level)
    names: Mapping[str, NDArray[np.str_]] = dict(catalogue.names) | {
        level: np.append(catalogue.names[level], "")
    }
    of_item = dict(catalogue.of_item)
    of_item[level] = np.where(inside, size, of_item[level]).astype(np.int32)
    if level != "item":
        return replace(catalogue, names=names, of_item=of_item)
    # at the level of items the group is itself an item, one that nobody buys under its own name
    nothing = np.int32(-1)
    content = catalogue.content
    kinds = {name: getattr(catalogue, name) for name in ("content_kind", "name_kind")}
    return replace(
        catalogue,
        names=names,
        of_item={name: np.append(numbers, nothing) for name, numbers in of_item.items()},
        price=np.append(catalogue.price, np.float32(np.nan)),
        sellable=np.append(catalogue.sellable, True),
        content=np.vstack([content, np.zeros_like(content[:1])]),
        **{name: np.append(kind, nothing) if len(kind) else kind for name, kind in kinds.items()},
    )
