"""What an item is, as numbers: text in any language, brand, category and price as one vector.

Two items whose vectors point the same way are alike, whether or not anybody bought either. Text
becomes character n-grams within words, hashed and weighted by TF-IDF; brand, category, each part
of a category path and the price's size stand beside it with weights of their own; latent semantic
analysis (Deerwester et al. 1990) makes it DIMENSIONS numbers an item. All of it is a function of
the catalogue: no sale is looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.utils.extmath import randomized_svd

DIMENSIONS = 64
HASHED = 1 << 16  # columns of the text's n-grams
BRAND_WEIGHT, CATEGORY_WEIGHT, PART_WEIGHT, PRICE_WEIGHT = 0.5, 0.5, 0.5, 0.2  # text has 1
LEARNED_ITEMS = 20_000  # axes and centres are learned from so many, spread over the catalogue
CENTRES = 256
KINDS = 2_048  # what a shop calls a sub-category, without asking the shop
CHUNK = 4_096  # items compared with all centres at once
TEXT_WORDS = 200  # of a longer description only the beginning says what the item is

_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W\d_]+")
# a number and its unit, which in any language is a short word
_QUANTITY = re.compile(r"\d[\d.,/×x]*\s*[^\W\d_]{0,3}\b")
_PATH = re.compile(r"[>/|]")
# From Hangul on a character is a syllable or a word, and one of it says as much as two letters.
_FIRST_SYLLABIC = "\u1100"


@dataclass(frozen=True)
class ItemFacts:
    """Parallel columns, one row an item. ``text``: name and description, "" when there is none;
    ``brand``, ``category``: None for none; ``price``: float32[n_items], NaN when unknown."""

    text: Sequence[str]
    brand: Sequence[str | None]
    category: Sequence[str | None]
    price: NDArray[np.float32]


def vectors(facts: ItemFacts) -> NDArray[np.float32]:
    """float32[n_items, d], rows of length 1, or 0 for an item of which nothing is known.

    d is DIMENSIONS, less for a catalogue of few words, and 0 for one that says nothing of any
    item. The same catalogue gives the same bytes.
    """
    whole = _unit_rows(_fields(facts))
    n_items, width = whole.shape
    sample = whole[:: max(1, -(-n_items // LEARNED_ITEMS))]
    rank = min(DIMENSIONS, sample.shape[0], width)
    if rank == 0 or sample.nnz == 0:
        return np.zeros((n_items, 0), dtype=np.float32)
    _, _, axes = randomized_svd(sample, rank, n_iter=3, random_state=0)
    return unit(whole @ np.ascontiguousarray(axes.T, dtype=np.float32))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows at length 1; rows of length 0 stay."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return (vectors / np.where(length > 0, length, 1.0)[:, None]).astype(np.float32)


def centres(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32[k, d], rows of length 1: the middles of CENTRES kinds of items, or of fewer.

    ``vectors`` as ``vectors`` gives them. The same vectors give the same bytes.
    """
    return _middles(vectors, CENTRES, "k-means++")


def kinds(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """int32[n_items]: the one of KINDS narrow kinds that each item is of, -1 when nothing is known.

    The same vectors give the same bytes.
    """
    # far-apart first centres would take most of the time, and so many need no luck
    return nearest(vectors, _middles(vectors, KINDS, "random"))


def named_kinds(names: Sequence[str | None], category: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32[n_items]: items whose names say the same but for quantities ("oat milk 1 l", "Oat Milk
    500ml") are of one kind. The others are of the kind of their ``category`` (int32[n_items], -1
    none), or of none: -1."""
    plain = [_without_quantities(name) for name in names]
    often = Counter(plain)
    shared = sorted(name for name, count in often.items() if name and count > 1)
    number = {name: n for n, name in enumerate(shared)}
    kind = np.array([number.get(name, -1) for name in plain], dtype=np.int32)
    otherwise = np.where(category >= 0, category + len(shared), -1)
    return np.where(kind >= 0, kind, otherwise).astype(np.int32)


def _without_quantities(name: str | None) -> str:
    text = unicodedata.normalize("NFKC", name or "").casefold()
    return " ".join(_LETTERS.findall(_QUANTITY.sub(" ", text)))


def nearest(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int32]:
    """int32[n]: the centre that each vector is most alike, -1 for one of length 0."""
    out = np.full(len(vectors), -1, dtype=np.int32)
    for begin in range(0, len(vectors) if len(centres) else 0, CHUNK):
        block = vectors[begin : begin + CHUNK]
        best = (block @ centres.T).argmax(axis=1)
        out[begin : begin + CHUNK] = np.where(block.any(axis=1), best, -1)
    return out


def _middles(vectors: NDArray[np.float32], count: int, init: str) -> NDArray[np.float32]:
    """float32[≤ count, d]: k-means (Sculley 2010) on a sample; few vectors as they are."""
    described = vectors[vectors.any(axis=1)]
    sample = described[:: max(1, -(-len(described) // LEARNED_ITEMS))]
    different = np.unique(sample, axis=0)
    if len(different) <= count:
        return different
    clustering = MiniBatchKMeans(
        count, init=init, n_init=1, max_iter=10, batch_size=4096, random_state=0
    )
    middles = clustering.fit(sample).cluster_centers_
    return unit(middles[middles.any(axis=1)])


def ngrams(word: str) -> list[str]:
    """The n-grams of a word, its ends marked by blanks: 2 to 4 letters, 1 to 3 syllables."""
    marked = f" {word} "
    lengths = (1, 2, 3) if max(word) >= _FIRST_SYLLABIC else (2, 3, 4)
    parts = [marked[i : i + n] for n in lengths for i in range(len(marked) - n + 1)]
    return [part for part in parts if part != " "]


def words(text: str) -> list[str]:
    """Words in one form: composed, without case and width (Unicode NFKC, casefold)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())[:TEXT_WORDS]


def _fields(facts: ItemFacts) -> sp.csr_array:
    """CSR float32[n_items, columns]: all fields side by side, each with its weight."""
    paths = [_parts(category) for category in facts.category]
    fields = [
        _text(facts.text),
        BRAND_WEIGHT * _choices([_one(brand) for brand in facts.brand]),
        CATEGORY_WEIGHT * _choices([_one(category) for category in facts.category]),
        PART_WEIGHT * _unit_rows(_choices(paths)),
        PRICE_WEIGHT * _choices([_price_bucket(price) for price in facts.price]),
    ]
    return sp.csr_array(sp.hstack(fields, format="csr", dtype=np.float32))


def _text(texts: Sequence[str]) -> sp.csr_array:
    """CSR float32[n_items, HASHED]: TF-IDF of n-grams, rows of length 1.

    N-grams do not reach over the end of a word: each distinct word is taken apart once.
    """
    split = [words(text) for text in texts]
    vocabulary = {word: i for i, word in enumerate(sorted({w for row in split for w in row}))}
    if not vocabulary:
        return sp.csr_array((len(texts), 0), dtype=np.float32)
    hashing = HashingVectorizer(
        analyzer=ngrams, n_features=HASHED, alternate_sign=False, norm=None, dtype=np.float32
    )
    of_word = sp.csr_array(hashing.transform(list(vocabulary)))
    counts = _counts([[vocabulary[word] for word in row] for row in split], len(vocabulary))
    used = np.flatnonzero(np.bincount(of_word.indices, minlength=HASHED))
    weighting = TfidfTransformer(sublinear_tf=True)
    return sp.csr_array(weighting.fit_transform(counts @ of_word[:, used]))


def _choices(values: Sequence[Sequence[str]]) -> sp.csr_array:
    """CSR float32[n_items, distinct values]: 1 where an item has the value."""
    distinct = {value: i for i, value in enumerate(sorted({v for row in values for v in row}))}
    return _counts([[distinct[value] for value in set(row)] for row in values], len(distinct))


def _counts(rows: Sequence[Sequence[int]], width: int) -> sp.csr_array:
    start = np.cumsum([0] + [len(row) for row in rows])
    column = np.fromiter((c for row in rows for c in row), np.int32, count=int(start[-1]))
    ones = np.ones(len(column), dtype=np.float32)
    matrix = sp.csr_array((ones, column, start), shape=(len(rows), width))
    matrix.sum_duplicates()
    return matrix


def _unit_rows(matrix: sp.csr_array) -> sp.csr_array:
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    scale = sp.diags_array(1.0 / np.where(length > 0, length, 1.0), dtype=np.float32)
    return sp.csr_array(scale @ matrix)


def _one(value: str | None) -> list[str]:
    return [] if value is None else [value]


def _parts(path: str | None) -> list[str]:
    """The parts of "food > cheese"; none of a category that is no path."""
    parts = [" ".join(words(part)) for part in _PATH.split(path or "")]
    return [part for part in parts if part] if len(parts) > 1 else []


def _price_bucket(price: float) -> list[str]:
    """Prices of one bucket differ by a third at most; one of 0 or less says nothing."""
    return [str(int(np.floor(np.log2(price) * 2.5)))] if price > 0 else []
