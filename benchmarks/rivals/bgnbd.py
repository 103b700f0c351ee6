"""BG/NBD: how often a customer buys and whether he still does (Fader, Hardie and Lee 2005,
"Counting Your Customers" the Easy Way). Equations are those of that paper.

A customer is (frequency, recency, age): repeat purchase days, the time of the last one and the time
that he is observed, both since his first purchase; here in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from scoring.backtest.targeting import Panel

DAYS_A_WEEK = 7.0
MOST_STEPS = 4000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Customers:
    """``frequency``, ``recency``, ``age``: float64[n]; recency ≤ age, 0 without a repeat."""

    frequency: Values
    recency: Values
    age: Values


@dataclass(frozen=True)
class BgNbd:
    """Purchase rates are gamma (r, alpha) over customers, drop-out after a purchase beta (a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, customers: Customers) -> BgNbd:
        """Maximum likelihood. Raises ValueError when it is not found."""

        def loss(logs: Values) -> float:
            return -float(cls(*np.exp(logs)).log_likelihood(customers).mean())

        found = minimize(loss, np.zeros(4), method="Nelder-Mead", options={"maxiter": MOST_STEPS})
        if not found.success:
            raise ValueError(f"BG/NBD was not fitted: {found.message}")
        return cls(*(float(value) for value in np.exp(found.x)))

    def log_likelihood(self, customers: Customers) -> Values:
        """float64[n]: equation 6 of each customer, with the terms that no parameter changes."""
        x, t_x, age = customers.frequency, customers.recency, customers.age
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b)
        gone -= (r + x) * np.log(alpha + t_x)
        return common + np.where(x > 0, np.logaddexp(alive, gone), alive)

    def probability_alive(self, customers: Customers) -> Values:
        """float64[n]: a customer who never came back has had no occasion to drop out."""
        x, t_x, age = customers.frequency, customers.recency, customers.age
        odds = self.a / (self.b + np.maximum(x, 1) - 1)
        odds *= ((self.alpha + age) / (self.alpha + t_x)) ** (self.r + x)
        return np.where(x > 0, 1.0 / (1.0 + odds), 1.0)

    def probability_of_any(self, customers: Customers, weeks: float) -> Values:
        """float64[n]: alive, and a purchase within the ``weeks`` after the observation."""
        waiting = (self.alpha + customers.age) / (self.alpha + customers.age + weeks)
        none = waiting ** (self.r + customers.frequency)
        return self.probability_alive(customers) * (1.0 - none)

    def expected_purchases(self, customers: Customers, weeks: float) -> Values:
        """float64[n]: equation 10, purchases expected in the ``weeks`` after the observation."""
        x, age = customers.frequency, customers.age
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        z = weeks / (alpha + age + weeks)
        shrink = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
        rest = 1.0 - shrink * hyp2f1(r + x, b + x, a + b + x - 1, z)
        return (a + b + x - 1) / (a - 1) * rest * self.probability_alive(customers)


def customers_of(panel: Panel) -> Customers:
    """The panel's customers at its cut-off; purchases of one day are one."""
    past = panel.history.visits(panel.cutoff, panel.kind)
    count = np.bincount(past.customer, minlength=past.n_customers)
    first, last = np.zeros(past.n_customers), np.full(past.n_customers, np.inf)
    np.maximum.at(first, past.customer, past.age)
    np.minimum.at(last, past.customer, past.age)
    chosen = panel.customer
    frequency = np.maximum(count[chosen] - 1.0, 0.0)
    recency = np.where(frequency > 0, first[chosen] - last[chosen], 0.0)
    return Customers(frequency, recency / DAYS_A_WEEK, (first[chosen] + 1.0) / DAYS_A_WEEK)


def targeting(panel: Panel) -> Values:
    """float64[1, n_known]: purchases expected in the window."""
    customers = customers_of(panel)
    return BgNbd.fit(customers).expected_purchases(customers, _weeks(panel))[None, :]


def any_purchase(panel: Panel) -> Values:
    """float64[1, n_known]: the probability of any purchase in the window."""
    customers = customers_of(panel)
    return BgNbd.fit(customers).probability_of_any(customers, _weeks(panel))[None, :]


def _weeks(panel: Panel) -> float:
    return panel.horizon_hours / 24 / DAYS_A_WEEK
