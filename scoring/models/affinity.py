"""LightFM affinity: a hybrid factorisation (Kula 2015) with customer and item features.

It is trained "the other way round": targets take the place of LightFM's users and customers that
of its items, so that WARP ranks the customers of a target, which is what a segment needs. Because
an item is the sum of its own, its brand's and its category's embedding, one model describes all
levels, and an item without sales still has an affinity. One thread, so that a run can be
repeated exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from lightfm import LightFM
from numpy.typing import NDArray

from scoring.history import LEVELS, Catalogue, History, LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.lookup import dots

HALF_LIFE_DAYS = 90.0
MIN_BUYERS = 5  # an item with fewer at the first cut-off has no embedding of its own


@dataclass(frozen=True)
class Affinity:
    """``customer``: float32[n_customers, d + 1], the last column a bias; ``target[level]``:
    float32[n_level, d + 1] likewise."""

    customer: Floats
    target: Mapping[str, Floats]

    def of(self, level: str) -> LevelAffinity:
        return LevelAffinity(self.customer, self.target[level])


@dataclass(frozen=True)
class LevelAffinity:
    """The affinity at one level: a base scorer."""

    customer: Floats
    target: Floats

    features = ("affinity",)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        a, b = self.customer, self.target
        product = dots(a, customer, b, target, (slice(0, -1),))[:, 0]
        return (product + a[customer, -1] + b[target, -1])[:, None]

    def arrays(self) -> dict[str, NDArray]:
        return {"customer": self.customer, "target": self.target}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["customer"], arrays["target"])


class AffinityTrainer:
    """Trains through a series of growing cut-offs: each call goes on from the one before.

    An affinity returned for a cut-off has seen nothing of that cut-off's future.
    """

    def __init__(self, history: History, first_cutoff: int, *, components: int, seed: int) -> None:
        self._history = history
        view = self._view(first_cutoff)
        buyers = np.bincount(view.pair_target, minlength=history.catalogue.n_items)
        self._item_features, self._slices = _item_features(history.catalogue, buyers >= MIN_BUYERS)
        self._customer_features = _customer_features(history)
        self._rng = np.random.default_rng(seed)
        self._model = LightFM(
            no_components=components, loss="warp", max_sampled=10, random_state=seed
        )

    def advance(self, cutoff: int, epochs: int) -> Affinity:
        """Learns ``epochs`` more passes over the purchases before ``cutoff`` (hours).

        In each pass a purchase is drawn with the probability 2^(−age / half-life): older ones teach
        less, and take no time.
        """
        view = self._view(cutoff)
        recent = np.exp2(-view.age[view.start[:-1]] / HALF_LIFE_DAYS).astype(np.float32)
        index = (view.pair_target, view.pair_customer)
        for _ in range(epochs if len(view.pair) else 0):
            drawn = (self._rng.random(len(recent), dtype=np.float32) < recent).astype(np.float32)
            # those left out are kept as zeros: they are no examples, and not taken for rejected
            bought = sp.coo_matrix((drawn, index), shape=(view.n_targets, view.n_customers))
            self._model.fit_partial(
                bought,
                user_features=self._item_features,
                item_features=self._customer_features,
                num_threads=1,
            )
        return self._affinity()

    def _view(self, cutoff: int) -> LevelView:
        """Not the one that the history keeps: other models are at another cut-off meanwhile."""
        catalogue = self._history.catalogue
        return self._history.view_of(catalogue.of_item["item"], catalogue.n_items, cutoff)

    def _affinity(self) -> Affinity:
        model = self._model
        if getattr(model, "item_embeddings", None) is None:
            size = {level: self._history.catalogue.size(level) for level in LEVELS}
            empty = {level: np.zeros((n, 2), np.float32) for level, n in size.items()}
            return Affinity(np.zeros((self._history.n_customers, 2), np.float32), empty)
        both = np.column_stack([model.user_embeddings, model.user_biases]).astype(np.float32)
        customers = np.column_stack([model.item_embeddings, model.item_biases])
        whole = {"item": (self._item_features @ both).astype(np.float32)}
        whole |= {level: both[self._slices[level]] for level in ("brand", "category")}
        return Affinity((self._customer_features @ customers).astype(np.float32), whole)


def _item_features(
    catalogue: Catalogue, supported: NDArray[np.bool_]
) -> tuple[sp.csr_matrix, dict]:
    """CSR float32[n_items, own + brands + categories] and each level's columns."""
    own = np.flatnonzero(supported)
    rows: list[NDArray] = [own]
    columns: list[NDArray] = [np.arange(len(own))]
    offset, slices = len(own), {}
    for level in ("brand", "category"):
        has = np.flatnonzero(catalogue.of_item[level] >= 0)
        rows.append(has)
        columns.append(offset + catalogue.of_item[level][has])
        slices[level] = slice(offset, offset + catalogue.size(level))
        offset += catalogue.size(level)
    index = (np.concatenate(rows), np.concatenate(columns))
    values = np.ones(len(index[0]), dtype=np.float32)
    return sp.csr_matrix((values, index), shape=(catalogue.n_items, offset)), slices


def _customer_features(history: History) -> sp.csr_matrix:
    """CSR float32[n_customers, n_customers + profile features]: each customer and its profile."""
    n = history.n_customers
    rows = np.concatenate([np.arange(n), history.profile_customer])
    columns = np.concatenate([np.arange(n), n + history.profile_feature])
    values = np.ones(len(rows), dtype=np.float32)
    shape = (n, n + len(history.profile_names))
    return sp.csr_matrix((values, (rows, columns)), shape=shape)
