"""Which targets have enough buyers to be learned from."""

from __future__ import annotations

import numpy as np

from scoring.history import LevelView
from scoring.models import Ints


def supported_targets(view: LevelView, min_buyers: int, max_targets: int) -> Ints:
    """int32[n_targets]: position of the targets with most buyers, -1 for the others."""
    buyers = np.bincount(view.pair_target, minlength=view.n_targets)
    order = np.lexsort((np.arange(view.n_targets), -buyers))[:max_targets]
    chosen = np.sort(order[buyers[order] >= min_buyers])
    position = np.full(view.n_targets, -1, dtype=np.int32)
    position[chosen] = np.arange(len(chosen), dtype=np.int32)
    return position
