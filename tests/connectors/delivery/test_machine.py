"""Random changes, faults and crashes end in exactly the desired state.

2,000 examples of 50 steps:
``SYNC_MACHINE=thorough python -m pytest tests/connectors/delivery/test_machine.py``
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connectors.delivery.engine import Delivery
from connectors.delivery.ledger import Ledger
from connectors.delivery.plan import Wish
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import Runtime
from connectors.errors import Stop
from tests.connectors.delivery.fakes import CrashError, FakeTarget

CUSTOMERS = [f"c{n}" for n in range(11)]
STATES = st.dictionaries(
    st.sampled_from(["p", "items", "hour"]), st.sampled_from([0.1, 0.2, ["a"], ["a", "b"], 7])
)
FAULTS = st.sampled_from(
    ["lost_before", "lost_after", "split", "item", "unlocated", "crash_before", "crash_after"]
)


class SyncMachine(RuleBasedStateMachine):
    """The tool's state is compared with what is desired after each undisturbed sync."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.sqlite"
        self.target = FakeTarget()
        self.desired: dict[str, dict[str, Any]] = {}
        self.changes = 0  # attribute values that were desired to change

    def teardown(self) -> None:
        self.folder.cleanup()

    def run_sync(self) -> SyncReport:
        report = SyncReport("c")
        runtime = Runtime(lambda: 0.0, lambda _: None, random.Random(1), workers=1)
        delivery = Delivery(self.target, self.path, "attributes", report, runtime=runtime)
        delivery.run(Wish(*item) for item in self.desired.items())
        return report

    @rule(customer=st.sampled_from(CUSTOMERS), state=STATES)
    def change(self, customer: str, state: dict[str, Any]) -> None:
        before = self.desired.get(customer, {})
        self.changes += sum(before.get(n) != state.get(n) for n in {*before, *state})
        self.desired[customer] = state

    @rule(customer=st.sampled_from(CUSTOMERS))
    def vanish(self, customer: str) -> None:
        self.changes += len(self.desired.pop(customer, {}))

    @rule(customer=st.sampled_from(CUSTOMERS), located=st.booleans())
    def poison(self, customer: str, located: bool) -> None:
        self.target.poison ^= {customer}
        self.target.locate = located

    @rule(faults=st.lists(FAULTS, max_size=5))
    def disturbed_sync(self, faults: list[str]) -> None:
        self.target.faults = list(faults)
        with contextlib.suppress(CrashError, Stop):
            self.run_sync()
        self.target.faults.clear()

    @rule()
    def undisturbed_sync(self) -> None:
        self.run_sync()
        refused = self.refused()
        assert refused <= self.target.refused
        wanted = {c: s for c, s in self.desired.items() if s and c not in refused}
        assert {c: s for c, s in self.target.held.items() if c not in refused} == wanted
        assert self.run_sync().requests == 0

    @invariant()
    def nothing_is_written_without_need(self) -> None:
        assert self.target.writes <= self.changes + self.target.unanswered

    def refused(self) -> set[str]:
        with Ledger(self.path, "attributes") as ledger:
            return {line.customer_id for line in ledger.quarantine()}


PROFILES = {
    "quick": settings(max_examples=15, stateful_step_count=20),
    "thorough": settings(max_examples=2_000, stateful_step_count=50),
}
chosen = settings(
    PROFILES[os.environ.get("SYNC_MACHINE", "quick")],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

TestSyncMachine = SyncMachine.TestCase
TestSyncMachine.settings = chosen
