"""Products of only what is asked are those of everything."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.models import linear as module
from scoring.models.linear import described

CUSTOMERS, INPUTS, TARGETS = 60, 30, 12
POSITION = np.array([3, -1, 0, 9, 1, 2, -1, 4, 5, 6, 7, 8], dtype=np.int32)
RANDOM = np.random.default_rng(1)
VECTORS = sp.random_array(
    (CUSTOMERS, INPUTS), density=0.3, rng=RANDOM, dtype=np.float32, format="csr"
)
DENSE = RANDOM.normal(size=(INPUTS, 10)).astype(np.float32)
SPARSE = sp.csc_array(np.where(RANDOM.random(DENSE.shape) < 0.1, DENSE, 0).astype(np.float32))
PAIRS = np.repeat(np.arange(CUSTOMERS), TARGETS), np.tile(np.arange(TARGETS), CUSTOMERS)


def expected() -> NDArray[np.float32]:
    """[customers, targets, 2]."""
    both = [VECTORS.toarray() @ weight for weight in (DENSE, SPARSE.toarray())]
    scores = np.stack([each[:, POSITION] for each in both], axis=2)
    scores[:, POSITION < 0] = np.nan
    return scores


def asked(rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(found, expected) of some of the pairs."""
    customer, target = (each[rows].astype(np.int32) for each in PAIRS)
    found = [
        described(VECTORS, weight, POSITION, customer, target)[:, 0] for weight in (DENSE, SPARSE)
    ]
    return np.column_stack(found), expected()[customer, target]


@pytest.mark.parametrize("scores", [1 << 18, 50])
@pytest.mark.parametrize(
    "rows",
    [
        np.arange(CUSTOMERS * TARGETS),  # everyone for everything
        np.arange(0, CUSTOMERS * TARGETS, TARGETS),  # everyone for one target
        np.arange(1, CUSTOMERS * TARGETS, TARGETS),  # and for one that is unknown
        np.arange(100, 250),  # some customers that follow each other
        np.array([5, 700, 0, 5, 699, 64]),  # a few, in no order, one of them twice
        np.random.default_rng(2).permutation(CUSTOMERS * TARGETS)[:400],
    ],
)
def test_scores_are_those_of_the_whole_product(
    rows: NDArray[np.intp], scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SCORES", scores)
    np.testing.assert_allclose(*asked(rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("targets", [slice(2, 3), slice(None)])
def test_weights_may_be_of_any_kind(targets: slice) -> None:
    customer, target = (each.reshape(CUSTOMERS, -1)[:, targets].ravel() for each in PAIRS)
    pairs = customer.astype(np.int32), target.astype(np.int32)
    dense, sparse = expected()[pairs].T
    for weights, known in ((SPARSE.tocsr(), sparse), (SPARSE, sparse), (DENSE, dense)):
        found = described(VECTORS, weights, POSITION, *pairs)
        np.testing.assert_allclose(found[:, 0], known, rtol=1e-5, atol=1e-6)


def test_company_changes_no_bit() -> None:
    everything, _ = asked(np.arange(CUSTOMERS * TARGETS))
    for rows in (np.arange(3, CUSTOMERS * TARGETS, TARGETS), np.array([700, 2, 31])):
        assert asked(rows)[0].tobytes() == everything[rows].tobytes()


def test_bad_input_no_pairs_and_no_targets_with_a_position() -> None:
    nobody = np.zeros(0, dtype=np.int32)
    assert described(VECTORS, DENSE, POSITION, nobody, nobody).shape == (0, 1)
    nothing = np.full(TARGETS, -1, dtype=np.int32)
    one = np.zeros(1, dtype=np.int32)
    assert np.isnan(described(VECTORS, DENSE[:, :0], nothing, one, one)).all()
