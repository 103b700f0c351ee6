"""Content: what the customer bought and looked at, against what the target is.

It needs no sale of the target: an item that is listed today is described like the best seller.
Items are vectors (scoring.item_text); a customer's taste is the weighted sum of what they bought
and, at a lower weight, looked at (Pazzani and Billsus 2007). How much they buy of what is like the
target is a kernel sum over their purchases, looked up at the nearest of a few hundred
broad kinds of items: one number a customer and kind instead of one a pair. What like minds buy of
the kind is read off the leading factors of customers and kinds (Sarwar et al. 2000), how often the
very same narrow kind was bought, of this brand or any, is counted, and how many things customers
lately bought for the first time tells who tries what is new.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from scoring.history import ENGAGED, Catalogue, History, LevelView
from scoring.item_text import nearest, unit
from scoring.models import Arrays, Floats, Ints
from scoring.models.lookup import PairIndex, dots
from scoring.models.parts import Part, whole

HALF_LIFE_DAYS = 180.0
ENGAGED_HALF_LIFE_DAYS, ENGAGED_WEIGHT = 21.0, 0.25
SHARPNESS = 4  # similarity to this power: what is but vaguely alike counts for nothing
SALES_DAYS = 28
TRIED_HALF_LIVES_DAYS = (21.0, 60.0)
FACTORS = 32  # of customers and kinds
NEW_TARGETS = 4_096  # so many never-bought targets are compared with every customer
CHUNK = 16_384  # customers at once: dense blocks stay in the processor's cache

Halves = NDArray[np.float16]


@dataclass(frozen=True)
class Content:
    """Customers: ``taste`` float32[n_customers, d], length 1 or 0; ``alike`` float16[n_customers,
    k], log(1 + how much they buy of each kind and what is like it); ``pays`` float16[n_customers,
    k], log price they pay there relative to similar items, NaN unknown; ``mind``
    float32[n_customers, f], their factors; ``tried`` float32[n_customers, 2], log(1 + items
    bought for the first time), fading.

    Targets: ``target`` float32[n_targets, d], length 1 or 0; ``kind`` int32[n_targets], -1 none;
    ``price`` float32[n_targets], log price relative to similar items, NaN unknown; ``expected``
    float32[n_targets], share of customers; ``new`` int32[m], never bought, to be proposed.
    ``kind_factor`` float32[k, f].

    Counts: ``same``, of narrow kinds, and ``same_brand``, of narrow kinds of one brand: keys
    int64[n] and days float32[n + 1], the last one 0, for never; ``narrow`` int32[2, n_targets],
    each target's column in the two, -1 none; ``width`` int64[2], how many columns they have.
    """

    taste: Floats
    alike: Halves
    pays: Halves
    mind: Floats
    tried: Floats
    kind_factor: Floats
    target: Floats
    kind: Ints
    price: Floats
    expected: Floats
    new: Ints
    same_keys: NDArray[np.int64]
    same_days: Floats
    same_brand_keys: NDArray[np.int64]
    same_brand_days: Floats
    narrow: Ints
    width: NDArray[np.int64]

    features = (
        "taste", "alike", "like_minds", "price_fit", "expected_buyers", "tried_21d", "tried_60d",
        "same_kind", "same_kind_brand",
    )  # fmt: skip

    @classmethod
    def fit(cls, history: History, of_item: Ints, n_targets: int, cutoff: int) -> Self:
        """``of_item``: int32[n_items], the target that each item belongs to, -1 for none.

        A target of several items is the sum of them; customers are described by all that they
        did before ``cutoff`` (hours), whichever target it belongs to.
        """
        catalogue, centres = history.catalogue, history.catalogue.content_centres
        content = catalogue.content
        if not len(content):
            content = np.zeros((catalogue.n_items, 0), dtype=np.float32)
        item_kind = nearest(content, centres)
        likeness = np.maximum(centres @ centres.T, 0.0) ** SHARPNESS
        relative_price = _relative_price(catalogue, item_kind, likeness)
        weight = _weights(history, cutoff)
        alike, pays = _by_kind(weight, item_kind, relative_price, likeness)
        mind, kind_factor = _factors(weight @ _grouped(item_kind, len(centres)).T)
        members = _grouped(of_item, n_targets)
        target = unit(members @ content)
        kind = nearest(target, centres)
        buyers, ever = _buyers(history.view_of(of_item, n_targets, cutoff))
        known = max(int(history.known_customers(cutoff).sum()), 1)
        expected = _smoothed(buyers / known, ever, kind, likeness)[kind]
        sellable = members @ catalogue.sellable.astype(np.float32) > 0
        new = np.flatnonzero(~ever & (kind >= 0) & sellable)
        new = new[np.lexsort((new, -expected[new]))][:NEW_TARGETS]
        price = _mean(relative_price, of_item, n_targets)
        taste = unit(weight @ content)
        proposed: Ints = np.sort(new).astype(np.int32)
        tried = _tried(history.view("item", cutoff))
        return cls(
            taste, alike, pays, mind, tried, kind_factor, target, kind, price, expected, proposed,
            **_same(history, of_item, n_targets, cutoff),
        )  # fmt: skip

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """Columns: cosine of taste and target; log(1 + what was bought alike); the same as like
        minds do; log price against what the customer pays for such things; share of customers
        who will probably buy it; log(1 + items first bought) of the customer, twice; log(1 +
        decayed days on which the narrow kind was bought), and the same of the target's brand."""
        return whole(self.parts(customer, target), len(customer))

    def parts(self, customer: Ints, target: Ints) -> list[Part]:
        parts = [
            Part(self._likeness(customer, target)),
            Part(self.expected[:, None], target),
            Part(self.tried, customer),
        ]
        missing: Floats = np.array([[0], [np.nan]], dtype=np.float32)
        for narrow, (index, days) in zip(self.narrow, self._counts, strict=True):
            parts.append(Part(days[:-1, None], index.find(customer, narrow[target]), missing))
        return parts

    def _likeness(self, customer: Ints, target: Ints) -> Floats:
        """float32[n, 4]: the first columns of ``describe``."""
        kind = self.kind[target]
        out = np.empty((len(customer), 4), dtype=np.float32)
        out[:, :1] = dots(self.taste, customer, self.target, target)
        out[~self._has_taste[customer] | (kind < 0), 0] = np.nan
        if len(self.kind_factor):
            at = customer.astype(np.int64) * len(self.kind_factor) + kind
            out[:, 1] = self.alike.ravel().take(at, mode="wrap")
            out[:, 2:3] = dots(self.mind, customer, self.kind_factor, kind)
            out[:, 3] = self.price[target] - self.pays.ravel().take(at, mode="wrap")
        out[kind < 0, 1:] = np.nan
        return out

    @functools.cached_property
    def _has_taste(self) -> NDArray[np.bool_]:
        return np.asarray(self.taste.any(axis=1))

    @functools.cached_property
    def _counts(self) -> tuple[tuple[PairIndex, Floats], ...]:
        same, same_brand = (
            PairIndex(keys, int(width))
            for keys, width in zip((self.same_keys, self.same_brand_keys), self.width, strict=True)
        )
        return (same, self.same_days), (same_brand, self.same_brand_days)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        """(customer, target): the never-bought targets that fit each customer best."""
        limit = min(limit, len(self.new))
        customers, chosen = [], []
        kind = self.kind[self.new]
        for begin in range(0, n_customers if limit else 0, 1024):
            part = np.arange(begin, min(begin + 1024, n_customers), dtype=np.int32)
            part = part[self.taste[part].any(axis=1)]
            fit = self.taste[part] @ self.target[self.new].T + self.alike[part][:, kind]
            best = np.argpartition(-fit, limit - 1, axis=1)[:, :limit]
            best.sort(axis=1)
            customers.append(np.repeat(part, limit))
            chosen.append(self.new[best.ravel()])
        if not customers:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        return np.concatenate(customers), np.concatenate(chosen)

    def arrays(self) -> dict[str, NDArray]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def _weights(history: History, cutoff: int) -> sp.csr_array:
    """CSR float32[n_customers, n_items]: how much each item says of the customer."""
    shape = (history.n_customers, history.catalogue.n_items)
    bought = history.view("item", cutoff)
    index = (bought.pair_customer, bought.pair_target)
    weight = sp.csr_array((np.log1p(bought.decayed(HALF_LIFE_DAYS)), index), shape=shape)
    if (history.kind == ENGAGED).any():
        seen = history.view("item", cutoff, ENGAGED)
        value = ENGAGED_WEIGHT * np.log1p(seen.decayed(ENGAGED_HALF_LIFE_DAYS))
        index = (seen.pair_customer, seen.pair_target)
        weight = sp.csr_array(weight + sp.csr_array((value, index), shape=shape))
    return weight.astype(np.float32)


def _buyers(view: LevelView) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(buyers of the last SALES_DAYS, whether it was ever bought) of each target."""
    recent = view.age[view.start[:-1]] < SALES_DAYS
    buyers = np.bincount(view.pair_target[recent], minlength=view.n_targets)
    return buyers, np.bincount(view.pair_target, minlength=view.n_targets) > 0


def _by_kind(
    weight: sp.csr_array, kind: Ints, relative_price: Floats, likeness: Floats
) -> tuple[Halves, Halves]:
    """(alike, pays) of ``Content``, summed over the customer's items with their likeness."""
    n, k = weight.shape[0], len(likeness)
    priced = ~np.isnan(relative_price)
    of_kind = _grouped(kind, k).T
    with_price = sp.csr_array(of_kind.multiply(priced[:, None]))
    paid = sp.csr_array(of_kind.multiply(np.nan_to_num(relative_price)[:, None]))
    alike, pays = np.zeros((n, k), np.float16), np.full((n, k), np.nan, np.float16)
    for begin in range(0, n, CHUNK):
        part = slice(begin, begin + CHUNK)
        rows = weight[part]
        alike[part] = np.log1p((rows @ of_kind).toarray() @ likeness)
        support = (rows @ with_price).toarray() @ likeness
        total = (rows @ paid).toarray() @ likeness
        np.divide(total, support, out=pays[part], where=support > 0, casting="same_kind")
    return alike, pays


def _relative_price(catalogue: Catalogue, kind: Ints, likeness: Floats) -> Floats:
    """float32[n_items]: log of the price over that of items like it; NaN when unknown."""
    price = np.where(catalogue.price > 0, catalogue.price, np.nan).astype(np.float32)
    logarithm = np.log(price)
    usual = _smoothed(logarithm, ~np.isnan(price), kind, likeness)
    return logarithm - usual[kind]


def _factors(of_kind: sp.csr_array) -> tuple[Floats, Floats]:
    """(float32[n_customers, f], float32[k, f]), whose product is nearest to log(1 + weight).

    A quarter of the kinds is as many factors as there may be: more would repeat what is known.
    """
    n, k = of_kind.shape
    rank = min(FACTORS, n, -(-k // 4))
    if rank == 0 or of_kind.nnz == 0:
        return np.zeros((n, 1), dtype=np.float32), np.zeros((k, 1), dtype=np.float32)
    left, strength, right = randomized_svd(of_kind.log1p(), rank, n_iter=3, random_state=0)
    return (left * strength).astype(np.float32), right.T.astype(np.float32)


def _tried(view: LevelView) -> Floats:
    """float32[n_customers, 2]: log(1 + items bought for the first time), at two half-lives."""
    first = view.age[np.maximum(view.start[1:] - 1, 0)] if len(view.pair) else view.age
    counts = [
        np.bincount(view.pair_customer, np.exp2(-first / half_life), view.n_customers)
        for half_life in TRIED_HALF_LIVES_DAYS
    ]
    return np.log1p(np.column_stack(counts)).astype(np.float32)


def _same(history: History, of_item: Ints, n_targets: int, cutoff: int) -> dict[str, NDArray]:
    """What ``Content`` says of narrow kinds, and of those of one brand."""
    catalogue = history.catalogue
    kind = catalogue.content_kind
    if not len(kind):
        kind = np.full(catalogue.n_items, -1, dtype=np.int32)
    brand, brands = catalogue.of_item["brand"], max(catalogue.size("brand"), 1)
    both = np.where((kind >= 0) & (brand >= 0), kind * brands + brand, -1).astype(np.int32)
    width = int(kind.max(initial=-1)) + 1
    found: dict[str, NDArray] = {"width": np.array([width, width * brands], dtype=np.int64)}
    for name, column, size in (("same", kind, width), ("same_brand", both, width * brands)):
        view = history.view_of(column, size, cutoff)
        found[f"{name}_keys"] = view.pair
        found[f"{name}_days"] = np.append(np.log1p(view.decayed(HALF_LIFE_DAYS)), np.float32(0))
    found["narrow"] = np.array([_shared(column, of_item, n_targets) for column in (kind, both)])
    return found


def _shared(column: Ints, of_item: Ints, n_targets: int) -> Ints:
    """int32[n_targets]: what all items of a target have in common, -1 for nothing."""
    item = np.flatnonzero(of_item >= 0)
    least = np.full(n_targets, np.iinfo(np.int32).max, dtype=np.int32)
    most = np.full(n_targets, -1, dtype=np.int32)
    np.minimum.at(least, of_item[item], column[item])
    np.maximum.at(most, of_item[item], column[item])
    return np.where(least == most, most, -1).astype(np.int32)


def _smoothed(
    values: NDArray, counted: NDArray[np.bool_], kind: Ints, likeness: Floats
) -> NDArray[np.float32]:
    """float32[k + 1]: mean of the ``counted`` values around each kind, weighted by likeness
    (Nadaraya 1964); NaN where there is none, and at the end, for an item of no kind (-1)."""
    k = len(likeness)
    counted = counted & (kind >= 0)
    count = likeness @ np.bincount(kind[counted], minlength=k)
    total = likeness @ np.bincount(kind[counted], weights=values[counted], minlength=k)
    mean = np.full(k + 1, np.nan, dtype=np.float32)
    np.divide(total, count, out=mean[:k], where=count > 0, casting="same_kind")
    return mean


def _mean(values: Floats, of_item: Ints, n_targets: int) -> Floats:
    """float32[n_targets]: mean of the known values of each target's items, NaN for none."""
    keep = (of_item >= 0) & ~np.isnan(values)
    count = np.bincount(of_item[keep], minlength=n_targets)
    total = np.bincount(of_item[keep], weights=values[keep], minlength=n_targets)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _grouped(of_item: Ints, n_targets: int) -> sp.csr_array:
    """CSR float32[n_targets, n_items]: 1 where the item belongs to the target."""
    item = np.flatnonzero(of_item >= 0)
    ones = np.ones(len(item), dtype=np.float32)
    return sp.csr_array((ones, (of_item[item], item)), shape=(n_targets, len(of_item)))
