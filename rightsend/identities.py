"""Whose the identifiers of a snapshot are, for host tools that keep aliases of people."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from scoring import columns as c
from scoring.snapshot import Snapshot

NOT_KNOWN_BY_NAME = tuple(f"{kind}:" for kind in c.IDENTIFIER_KINDS if kind != c.EXTERNAL_ID)


def links(snapshot: Snapshot, kinds: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(identifier kind, identifier, customer id) of the ``kinds``, of customers who have an
    external id: nobody else can be named to a tool."""
    columns = [c.IDENTIFIER_KIND, c.IDENTIFIER, c.CUSTOMER_ID]
    for rows in snapshot.batches("identifiers", columns):
        for kind, identifier, customer_id in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        ):
            if kind in kinds and not customer_id.startswith(NOT_KNOWN_BY_NAME):
                yield kind, identifier, customer_id
