"""What answers are made of when Redis is away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.snapshot import Snapshot
from scoring.store.client import connect
from scoring.store.fallback import FALLBACK, FallbackFile
from scoring.store.read import Reader
from tests.conftest import SECRET, WORKSPACE
from tests.factories import make_snapshot


def away(workspace_dir: Path) -> Reader:
    """A reader whose Redis was never there."""
    client = connect(f"unix://{workspace_dir}/nobody.sock", send_time=True)
    return Reader(client, WORKSPACE, SECRET, workspace_dir)


def test_popular_sellable_items_with_all_that_a_message_shows(
    published: Snapshot, workspace_dir: Path
) -> None:
    content = away(workspace_dir).fallback()
    assert content.snapshot == published.meta.snapshot
    found = content.popular()
    assert [scored.item.id for scored in found] == [f"item-{n:02d}" for n in range(29)]
    first = found[0]
    assert first.score == 1.0
    assert first.item.to_json() == {
        "id": "item-00",
        "name": "Item 00",
        "brand": "brand-0",
        "category": "food > category-0",
        "price": 0.5,
        "image_url": "https://shop.example/item-00.jpg",
        "url": "https://shop.example/item-00",
    }


def test_a_new_publication_is_noticed(
    workspace_dir: Path, publish: Callable[[Snapshot], str]
) -> None:
    reader = away(workspace_dir)
    publish(make_snapshot(workspace_dir, "one"))
    assert reader.fallback().snapshot == "one"
    publish(make_snapshot(workspace_dir, "two"))
    assert reader.fallback().snapshot == "two"


def test_before_anything_was_published_there_is_nothing(workspace_dir: Path) -> None:
    nothing = away(workspace_dir).fallback()
    assert (nothing.snapshot, nothing.popular()) == ("", [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"items": [{}]}', '{"snapshot": 1, "items": 7}'])
def test_bad_input_damaged_fallback_file_keeps_what_was_known(
    published: Snapshot, workspace_dir: Path, text: str
) -> None:
    known = FallbackFile(workspace_dir)
    before = known.read()
    assert before.popular()
    (workspace_dir / FALLBACK).write_text(text)
    assert known.read() is before
    assert FallbackFile(workspace_dir).read().popular() == []
    (workspace_dir / FALLBACK).unlink()
    assert known.read() is before
