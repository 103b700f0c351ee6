"""BG/NBD against the published figures and against simulated customers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rivals import bgnbd
from benchmarks.rivals.bgnbd import BgNbd, Customers, customers_of
from scoring.backtest.targeting import ANY, observe
from tests.scoring.histories import CUTOFF, bought, make

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)  # CDNOW, Fader, Hardie and Lee 2005


def customers(*rows: tuple[float, float, float]) -> Customers:
    return Customers(*np.array(rows, dtype=float).T)


def simulate(model: BgNbd, n: int, weeks: float) -> tuple[Customers, np.ndarray]:
    """(what is seen in ``weeks``, purchases of the ``weeks`` after) by the model's own story."""
    rng = np.random.default_rng(5)
    rate, leave = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    now, last, count, later = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    alive = np.ones(n, dtype=bool)
    while alive.any():
        now[alive] += rng.exponential(1 / rate[alive])
        seen, after = alive & (now <= weeks), alive & (now > weeks) & (now <= 2 * weeks)
        count[seen] += 1
        last[seen] = now[seen]
        later[after] += 1
        alive &= (now <= 2 * weeks) & (rng.random(n) > leave)
    return Customers(count, last, np.full(n, weeks)), later


def test_the_expected_purchases_of_the_paper_s_customer() -> None:
    # the note on BG/NBD in Excel: x = 2, t_x = 30.43, T = 38.86, 39 weeks ahead: 1.226
    found = PUBLISHED.expected_purchases(customers((2, 30.43, 38.86)), 39)
    assert found[0] == pytest.approx(1.226, abs=0.001)


def test_who_never_came_back_has_had_no_occasion_to_drop_out() -> None:
    assert PUBLISHED.probability_alive(customers((0, 0, 38.86)))[0] == 1


def test_who_was_frequent_and_stayed_away_is_gone() -> None:
    alive = PUBLISHED.probability_alive(customers((8, 10, 38), (8, 37, 38), (1, 10, 38)))
    assert alive[0] < 0.05 < alive[2] < alive[1]


def test_the_fit_finds_the_customers_it_was_made_from() -> None:
    truth = BgNbd(r=0.6, alpha=5.0, a=0.9, b=2.5)
    seen, _ = simulate(truth, 20_000, 40)
    found = BgNbd.fit(seen)
    assert found.log_likelihood(seen).mean() >= truth.log_likelihood(seen).mean()
    assert found.r == pytest.approx(truth.r, rel=0.1)
    assert found.alpha == pytest.approx(truth.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.4, rel=0.1)


def test_expectations_are_what_simulated_customers_do() -> None:
    model = BgNbd(r=0.6, alpha=5.0, a=0.9, b=2.5)
    seen, later = simulate(model, 100_000, 40)
    for count in (0, 1, 3):
        same = seen.frequency == count
        expected = model.expected_purchases(seen, 40)[same].mean()
        assert expected == pytest.approx(later[same].mean(), rel=0.05)
        any_of = model.probability_of_any(seen, 40)[same].mean()
        assert any_of == pytest.approx((later[same] > 0).mean(), rel=0.05)


def test_customers_are_read_from_the_past_of_a_panel() -> None:
    rows = [*bought(0, 0, 70), *bought(1, 0, 69, 20, 6), *bought(1, 0, 6)]
    panel = observe(make(rows, customers=2, items=1), ANY, CUTOFF, 168, min_buyers=0).panel
    found = customers_of(panel)
    assert found.frequency.tolist() == [0, 2]
    assert found.recency.tolist() == [0, 9]
    assert found.age.tolist() == [71 / 7, 10]
    assert bgnbd.targeting(panel).shape == (1, 2)


def test_bad_input_a_fit_that_does_not_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bgnbd, "MOST_STEPS", 3)
    with pytest.raises(ValueError, match="BG/NBD was not fitted"):
        BgNbd.fit(customers((2, 30, 38), (0, 0, 38)))
