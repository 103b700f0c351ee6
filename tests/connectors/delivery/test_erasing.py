"""People are deleted one by one, whatever the tool says of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from connectors import delivery
from connectors.delivery import identities
from connectors.errors import ConnectorError, Reject, Split, Stop
from connectors.tool import Target, Tool
from settings.workspace import ConnectionSettings
from tests.connectors.delivery.fakes import FakeTarget
from tests.connectors.doubles import FakeTime


class Choosy(Tool):
    def __init__(self, problem: ConnectorError) -> None:
        self.problem = problem
        self.there = {"a", "odd", "z"}

    def attributes(self) -> Target:
        return FakeTarget()

    def erase(self, customer_ids: Sequence[str]) -> None:
        if "odd" in customer_ids:
            raise self.problem
        self.there -= set(customer_ids)


@pytest.mark.parametrize("problem", [Split("no such id"), Reject("the id is too long")])
def test_whom_the_tool_refuses_to_delete_does_not_keep_the_others(
    problem: ConnectorError, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = Choosy(problem)

    @contextmanager
    def opened(_connection: ConnectionSettings) -> Iterator[Tool]:
        yield tool

    monkeypatch.setattr(identities, "open_tool", opened)
    connection = ConnectionSettings("crm", "braze")
    with pytest.raises(Stop, match=f"a profile was not deleted: {problem.what}"):
        delivery.erase_profiles(connection, ["a", "odd", "z"], runtime=time.runtime())
    assert tool.there == {"odd"}
