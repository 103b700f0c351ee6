"""Every request that the connector sends, and its double takes, is one that Iterable publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import delivery
from connectors.registry import open_tool
from connectors.tool import Recipient
from tests.connectors.doubles import FakeTime, iterable_connection
from tests.connectors.published import call_of, read_published, record, unpublished

CALLS = read_published(__file__)


def test_all_requests_are_published(
    url: str, tmp_path: Path, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = iterable_connection(url, monkeypatch)
    sent = record(monkeypatch, "/tools/iterable")
    options = {"state_path": tmp_path / "state.sqlite", "runtime": time.runtime()}
    desired = [(f"c{n}", {"purchase_probability": 0.5, "top_items": ["a"]}) for n in range(1_100)]
    delivery.sync(connection, desired, **options)  # type: ignore[arg-type]
    delivery.sync(connection, desired[:1_050], **options)  # type: ignore[arg-type]
    for members in (range(1_050), range(40, 1_060)):
        ids = [f"c{n}" for n in members]
        delivery.push_segment(connection, segment_id="s", name="S", members=ids, **options)  # type: ignore[arg-type]
    with open_tool(connection) as tool:
        tool.check()
        tool.trigger("12", [Recipient("c1", {"offer": "x"})])
        tool.trigger("journey:7", [Recipient("c1", {"offer": "x"})])
        tool.declare_catalog("items", {"name": "string", "price": "number"})
        for item in ({"name": "Tea", "price": 2.5}, None):
            change = tool.catalog("items").encode("i1", {"item": item})
            tool.catalog("items").write(change.lane, [change.body])
        tool.merge([("c1", "c2")])
        tool.erase(["c2"])
    assert {wrong for request in sent for wrong in unpublished(request, CALLS)} == set()
    assert {call_of(request, CALLS) for request in sent} == set(CALLS)
