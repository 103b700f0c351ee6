"""Segments of the night in tests.nights, asked for in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scoring import segment
from scoring.segment_request import SegmentError, SegmentRequest, SizeRule, Target
from tests import nightly_shop as shop
from tests.nights import Night

TEA = Target(categories=("tea",))
EVERYBODY = SizeRule(share=1.0)
KNOWN = 61  # 60 customers and the visitor
Rows = list[dict[str, Any]]


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


def asked(target: Target = TEA, size: SizeRule = EVERYBODY, **options: Any) -> SegmentRequest:
    return SegmentRequest("Tea lovers", target, size, **options)


def selecting(night: Night) -> Callable[..., Rows]:
    """A fixture: the members of a request as rows."""

    def rows(target: Target = TEA, size: SizeRule = EVERYBODY, **options: Any) -> Rows:
        return result(night, asked(target, size, **options)).members.to_pylist()

    return rows


def result(night: Night, request: SegmentRequest, **changes: Any) -> segment.SegmentResult:
    given = {"workspace": night.workspace, "folder": night.snapshot.folder, **changes}
    return segment.select(
        given["folder"],
        request,
        night.lake,
        given["workspace"],
        now=shop.AS_OF,
        secret=given.get("secret", b"secret"),
        progress=given.get("progress", quiet),
    )


def preview(night: Night, request: SegmentRequest) -> dict[str, Any]:
    return segment.preview(
        night.snapshot.folder, request, night.lake, night.workspace, now=shop.AS_OF, progress=quiet
    )


def refused(night: Night, request: SegmentRequest, **changes: Any) -> str:
    """What a request that cannot be answered is told."""
    with pytest.raises(SegmentError) as problem:
        result(night, request, **changes)
    return str(problem.value)


def names(rows: Rows) -> list[str]:
    return [row["customer_id"] for row in rows]


def by_name(rows: Rows) -> dict[str, float]:
    return {row["customer_id"]: row["probability"] for row in rows}
