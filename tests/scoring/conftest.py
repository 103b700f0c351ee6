"""Property tests are not timed: other work on the machine must not fail them. A shop, trained once
for all tests that look at a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import settings

from scoring import training
from scoring.fitted import Fitted
from scoring.history import BOUGHT, CLICKED, History
from scoring.models.stacker import Stacker
from tests.nights import night  # noqa: F401  a fixture
from tests.scoring.histories import before
from tests.shop import NOW_HOUR, history, make_shop, no_progress, quick_models

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@dataclass(frozen=True)
class Trained:
    """``past``: with the two weeks after NOW, too; ``tonight`` and ``holdout``: fitted at NOW."""

    past: History
    tonight: Fitted
    holdout: Fitted


@contextmanager
def quick_trees(iterations: int = 15) -> Iterator[None]:
    """Stackers of fewer trees."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Stacker.fit.__func__.__kwdefaults__, "iterations", iterations)
        yield


def train(past: History, **changes: object) -> tuple[Fitted, Fitted]:
    """As the night does at NOW, with fewer trees (and other ``changes`` of the settings)."""
    with quick_trees():
        models = quick_models(**{"training_windows": 2, **changes})
        return training.train(past, NOW_HOUR, (BOUGHT, CLICKED), models, no_progress)


@pytest.fixture(scope="session")
def trained() -> Trained:
    past = history(make_shop(customers=60, items=30, days=60), before=None)
    return Trained(past, *train(past))


@pytest.fixture(scope="session")
def trained_without_future(trained: Trained) -> Trained:
    """The same shop, trained again by someone to whom nothing after NOW has happened yet."""
    past = before(trained.past, NOW_HOUR)
    return Trained(past, *train(past))
