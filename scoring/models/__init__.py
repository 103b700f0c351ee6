"""One file a model.

A base scorer is fitted on the past before a cut-off and then describes (customer, target) pairs
by a few numbers: ``describe(customer: int32[n], target: int32[n])`` gives
float32[n, len(features)]. NaN means that the scorer knows nothing of the pair. ``arrays()`` gives
everything it holds as plain arrays, ``from_arrays`` takes them back: models are stored without
pickle.

The stacker turns descriptions into probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class BaseScorer(Protocol):
    """What every base scorer offers; tests/scoring/models/test_contract.py holds them to it."""

    @property
    def features(self) -> tuple[str, ...]: ...

    def describe(self, customer: Ints, target: Ints) -> Floats: ...

    def arrays(self) -> dict[str, NDArray]: ...

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self: ...
