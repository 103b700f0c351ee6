"""Every request that the connector sends, and its double takes, is one that Klaviyo publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import delivery
from connectors.registry import open_tool
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import FakeTime, klaviyo_connection
from tests.connectors.published import call_of, read_published, record, unpublished

CALLS = read_published(__file__)
ITEM = {"name": "Tea", "price": 2.5, "url": "https://shop.example/tea", "sellable": True}


def test_all_requests_are_published(
    url: str, klaviyo: Sandbox, tmp_path: Path, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = klaviyo_connection(url, monkeypatch)
    sent = record(monkeypatch, "/tools/klaviyo")
    options = {"state_path": tmp_path / "state.sqlite", "runtime": time.runtime()}
    desired = [(f"c{n}", {"purchase_probability": 0.5, "top_items": ["a"]}) for n in range(300)]
    klaviyo.turn(blocked=["c9"])
    delivery.sync(connection, desired, **options)  # type: ignore[arg-type]
    delivery.sync(connection, desired[:250], **options)  # type: ignore[arg-type]
    for name, members in (("S", range(1_050)), ("T", range(40, 1_060))):
        ids = [f"c{n}" for n in members]
        delivery.push_segment(connection, segment_id="s", name=name, members=ids, **options)  # type: ignore[arg-type]
    with open_tool(connection) as tool:
        tool.check()
        tool.merge([("c1", "c2"), ("c3", "new")])
        tool.erase(["c2"])
        for item in (ITEM, {**ITEM, "price": None}, None):
            change = tool.catalog("items").encode("i1", {"item": item})
            tool.catalog("items").write(change.lane, [change.body])
    assert {wrong for request in sent for wrong in unpublished(request, CALLS)} == set()
    called = {call_of(request, CALLS) for request in sent}
    assert called == set(CALLS)
    assert {request.headers["Content-Type"] for request in sent} == {"application/vnd.api+json"}
