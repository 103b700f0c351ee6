"""What every base scorer must keep to, whichever it is; a new one is one line in FITS."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import ENGAGED, History
from scoring.level import ENGAGED_HALF_LIVES_DAYS
from scoring.model_files import SCORERS
from scoring.models import BaseScorer
from scoring.models.activity import Activity
from scoring.models.affinity import AffinityTrainer
from scoring.models.content import Content
from scoring.models.ease import Ease
from scoring.models.factors import Factors
from scoring.models.popularity import Popularity
from scoring.models.repeat import RepeatIntensity
from scoring.models.temporal import Temporal
from tests.scoring import histories
from tests.scoring.histories import CUTOFF, all_pairs, assert_same, checkerboard
from tests.shop import NOW_HOUR, history, make_shop

AHEAD = 24 * 14  # hours of known future in the shop's history


def _affinity(past: History, cutoff: int) -> BaseScorer:
    return AffinityTrainer(past, cutoff, components=8, seed=1).advance(cutoff, 30).of("item")


FITS: dict[str, Callable[[History, int], BaseScorer]] = {
    "repeat": lambda past, cutoff: RepeatIntensity.fit(past.view("item", cutoff)),
    "popularity": lambda past, cutoff: Popularity.fit(
        past.view("item", cutoff), int(past.known_customers(cutoff).sum())
    ),
    "activity": lambda past, cutoff: Activity.fit(past.visits(cutoff), past.view("item", cutoff)),
    "ease": lambda past, cutoff: Ease.fit(past.view("item", cutoff)),
    "factors": lambda past, cutoff: Factors.fit(past.view("item", cutoff)),
    "affinity": _affinity,
    "content": lambda past, cutoff: Content.fit(
        past, past.catalogue.of_item["item"], past.catalogue.n_items, cutoff
    ),
    "engaged": lambda past, cutoff: RepeatIntensity.fit(
        past.view("item", cutoff, ENGAGED), ENGAGED_HALF_LIVES_DAYS
    ),
    "temporal": lambda past, cutoff: Temporal.fit(past, "item", cutoff, 7, beside=["category"]),
}
every_scorer = pytest.mark.parametrize("name", sorted(FITS))
collaborative = pytest.mark.parametrize("name", ["ease", "factors", "temporal", "affinity"])


@pytest.fixture(scope="module")
def past() -> History:
    """40 customers and 5 silent ones, 24 items; also the two weeks after the cut-off."""
    return history(make_shop(customers=40, items=24, days=60), before=None)


def described(scorer: BaseScorer, past: History) -> NDArray[np.float32]:
    return scorer.describe(*all_pairs(past, past.catalogue.n_items))


def test_every_scorer_that_can_be_stored_is_held_to_the_contract() -> None:
    assert FITS.keys() == SCORERS.keys()


@every_scorer
def test_a_description_is_a_row_a_pair_and_a_column_a_feature(name: str, past: History) -> None:
    scorer = FITS[name](past, NOW_HOUR)
    assert isinstance(scorer, SCORERS[name])
    out = described(scorer, past)
    assert out.shape == (past.n_customers * past.catalogue.n_items, len(scorer.features))
    assert out.dtype == np.float32
    assert len(set(scorer.features)) == len(scorer.features)


@every_scorer
def test_nothing_is_infinite_and_something_is_known(name: str, past: History) -> None:
    out = described(FITS[name](past, NOW_HOUR), past)
    assert not np.isinf(out).any()
    assert np.isfinite(out).any(axis=0).all()


@every_scorer
def test_no_pairs_give_no_rows(name: str, past: History) -> None:
    scorer, nobody = FITS[name](past, NOW_HOUR), np.zeros(0, np.int32)
    assert scorer.describe(nobody, nobody).shape == (0, len(scorer.features))


@every_scorer
def test_a_pair_is_described_alike_in_any_company(name: str, past: History) -> None:
    scorer = FITS[name](past, NOW_HOUR)
    customer, target = all_pairs(past, past.catalogue.n_items)
    some = np.random.default_rng(5).integers(0, len(customer), 700)  # some pairs twice
    alone = scorer.describe(customer[some], target[some])
    np.testing.assert_allclose(alone, described(scorer, past)[some], rtol=1e-6)


@every_scorer
def test_a_second_fit_gives_the_same_arrays(name: str, past: History) -> None:
    assert_same(FITS[name](past, NOW_HOUR).arrays(), FITS[name](past, NOW_HOUR).arrays())


@every_scorer
def test_storing_without_pickle_and_taking_back_changes_nothing(name: str, past: History) -> None:
    scorer = FITS[name](past, NOW_HOUR)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **scorer.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        back = SCORERS[name].from_arrays(dict(stored))
    assert_same(back.arrays(), scorer.arrays())
    assert back.features == scorer.features
    assert described(back, past).tobytes() == described(scorer, past).tobytes()


@every_scorer
def test_what_comes_at_or_after_the_cutoff_changes_nothing(name: str, past: History) -> None:
    scorer = FITS[name](past, NOW_HOUR)
    for other in (
        histories.before(past, NOW_HOUR),
        histories.with_another_future(past, NOW_HOUR),
    ):
        again = FITS[name](other, NOW_HOUR)
        assert_same(again.arrays(), scorer.arrays())
        assert described(again, past).tobytes() == described(scorer, past).tobytes()


@every_scorer
def test_what_comes_just_before_the_cutoff_does_change_it(name: str, past: History) -> None:
    kind = ENGAGED if name == "engaged" else 0
    news = [(customer, 1, NOW_HOUR - 1, kind) for customer in range(30)]
    other = FITS[name](histories.with_rows(past, news), NOW_HOUR)
    assert described(other, past).tobytes() != described(FITS[name](past, NOW_HOUR), past).tobytes()


@every_scorer
def test_customers_without_a_past_are_described_too(name: str, past: History) -> None:
    known = past.known_customers(NOW_HOUR)
    assert not known.all()
    customer = np.flatnonzero(~known).astype(np.int32)
    out = FITS[name](past, NOW_HOUR).describe(customer, np.zeros_like(customer))
    assert len(out) == len(customer)
    assert not np.isinf(out).any()


@every_scorer
@pytest.mark.parametrize("cutoff", [NOW_HOUR - 24 * 1000, CUTOFF])
def test_bad_input_an_empty_past_is_described_as_unknown(
    name: str, past: History, cutoff: int
) -> None:
    nothing = past if cutoff > CUTOFF else histories.empty()
    scorer = FITS[name](nothing, cutoff)
    back = SCORERS[name].from_arrays(scorer.arrays())
    for one in (scorer, back):
        out = described(one, nothing)
        assert out.shape == (nothing.n_customers * nothing.catalogue.n_items, len(one.features))
        assert not np.isinf(out).any()
        assert (np.nan_to_num(out) == 0).all()


@every_scorer
def test_bad_input_a_shop_of_one_purchase_can_be_described(name: str) -> None:
    tiny = histories.make(histories.bought(0, 0, 3), customers=1, items=1)
    out = described(FITS[name](tiny, CUTOFF), tiny)
    assert len(out) == 1
    assert not np.isinf(out).any()


@collaborative
def test_who_buys_one_block_gets_the_rest_of_that_block_first(name: str) -> None:
    board = checkerboard(customers=100)
    customer, target = all_pairs(board, board.catalogue.n_items)
    view = board.view("item", CUTOFF)
    scores = FITS[name](board, CUTOFF).describe(customer, target)[:, 0]
    unbought = view.find(customer, target) < 0
    for number in range(board.n_customers):
        mine = (customer == number) & unbought
        own = mine & (target % 2 == number % 2)
        order = scores[own][:, None] > scores[mine & ~own]
        assert order.mean() > (0.8 if name == "affinity" else 0.999), number  # drawn or exact


def test_who_buys_one_block_is_proposed_items_of_that_block_alone() -> None:
    board = checkerboard()
    customer, target = Ease.fit(board.view("item", CUTOFF)).propose(6, board.n_customers)
    assert set(customer) == set(range(40))
    assert (customer % 2 == target % 2).all()
    assert np.bincount(customer).max() <= 6
