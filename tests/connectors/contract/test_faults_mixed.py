"""Everything at once: a third of the requests fail by chance, and the sync is killed with SIGKILL.

Three kills a connector; fifty:
``SYNC_KILLS=50 python -m pytest tests/connectors/contract/test_faults_mixed.py``
"""

from __future__ import annotations

import os
import random

import pytest

from connectors.delivery import quarantine
from connectors.sandbox.dials import AFTER
from connectors.tool import Ability
from tests.connectors.children import killed_while
from tests.connectors.double import FEW, SEGMENT, Double

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES, "http")

KILLS = int(os.environ.get("SYNC_KILLS", "3"))
BLOCKED = ["c003", "c017", "c099", "c151"]
WORKERS = 4


def forced(double: Double) -> int:
    """Records that may have been written once more: their requests' answers were spoiled."""
    spoiled = sum(call["note"] in AFTER for call in double.tool.calls(2_000))
    return FEW * spoiled


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("locate", [True, False])
def test_with_30_percent_of_requests_failing_all_is_there(
    double: Double, seed: int, locate: bool
) -> None:
    double.customers(200)
    double.tool.turn(
        blocked=BLOCKED, locate_errors=locate, rate_limit=1_000_000,
        chaos=0.3, chaos_seed=seed, chaos_hang_s=0.6,
    )  # fmt: skip
    report = double.with_options(timeout_s=0.3).sync(workers=WORKERS)
    wanted = {c: a for c, a in double.wanted().items() if c not in BLOCKED}
    assert double.held() == wanted
    assert [entry.customer_id for entry in quarantine(double.state_path)] == BLOCKED
    assert (report.accepted, sum(report.rejected.values())) == (len(wanted), len(BLOCKED))
    assert report.retries > 0
    if locate:
        again = len(BLOCKED) * FEW * 2  # those who shared a request with a refused one
        assert double.tool.counts()["writes"] <= len(wanted) + forced(double) + again
    double.tool.heal()
    rest = double.sync()
    assert (rest.requests, rest.waiting) == (0, len(BLOCKED))


def test_changes_during_chaos_end_in_the_last_state(double: Double) -> None:
    double.customers(60)
    chance = random.Random(3)
    impatient = double.with_options(timeout_s=0.3)
    double.tool.turn(rate_limit=1_000_000, chaos=0.3, chaos_seed=7, chaos_hang_s=0.6)
    for _ in range(4):
        impatient.sync(workers=WORKERS)
        for customer in chance.sample(sorted(double.desired), 20):
            double.desired[customer]["purchase_probability"] = chance.randrange(20) / 20
        del double.desired[chance.choice(sorted(double.desired))]
    impatient.sync(workers=WORKERS)
    assert double.held() == double.wanted()


@pytest.mark.needs(Ability.SEGMENTS)
def test_segments_during_chaos_end_in_the_last_members(double: Double) -> None:
    double.customers(30)
    double.sync()
    double.tool.turn(rate_limit=1_000_000, chaos=0.3, chaos_seed=11, chaos_hang_s=0.6)
    impatient = double.with_options(timeout_s=0.3)
    chance = random.Random(5)
    for _ in range(4):
        members = sorted(chance.sample(sorted(double.desired), 18))
        impatient.push(members)
    double.tool.heal()
    assert double.tool.members(SEGMENT) == members


def test_killed_at_random_moments_it_ends_in_exactly_the_desired_state(double: Double) -> None:
    chance, kills = random.Random(7), 0
    double.tool.turn(rate_limit=1_000_000)
    double.customers(300 + 60 * KILLS)
    while kills < KILLS:
        begun = double.tool.counts().get("writes", 0)
        more = chance.randrange(1, 120)

        def reached(at: int = begun + more) -> bool:
            return double.tool.counts().get("writes", 0) >= at

        if killed_while(double, reached, workers=WORKERS):
            kills += 1
        else:  # it was done before
            double.customers(len(double.desired) + 200)
    report = double.sync(workers=WORKERS)
    assert report.finished
    assert double.held() == double.wanted()
    assert quarantine(double.state_path) == []
    assert double.tool.counts()["writes"] <= len(double.desired) + KILLS * WORKERS * FEW
    assert double.sync().requests == 0
