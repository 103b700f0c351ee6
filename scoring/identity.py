"""Identifiers → customers: who is one person, decided the same way every night.

Two identifiers belong together when an event or a customer record names both. The components of
that graph are people, with one exception: a device does not join people who have external ids of
their own (a family's tablet), because a wrong union shows one person's purchases to another.
"""

# ruff: noqa: S608 - column names come from scoring.columns

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scoring import columns as c
from scoring import sql
from scoring.separation import past_of
from scoring.store.keys import identifier_text

Labels = NDArray[np.int64]

# pairs of identifiers that were seen together; the right side may be null (seen alone)
_PAIRS = ("left_kind", "left_id", "right_kind", "right_id")


@dataclass(frozen=True)
class Identity:
    """``identifiers``: identifier_kind, identifier, customer_id, sorted by the first two; each
    identifier once. ``customers``: customer_id, attributes, timezone, ad_consent, night_consent
    (null where nothing is known), sorted by customer_id; each customer once.
    """

    identifiers: pa.Table
    customers: pa.Table


def resolve(
    events: ibis.Table, customers: ibis.Table, hash_of: Callable[[str], bytes] | None = None
) -> Identity:
    """The people behind all identifiers of ``events`` and ``customers`` (canonical columns).

    A person's customer_id is the smallest external id, without one "<kind>:<identifier>" of the
    smallest identifier by (kind, identifier). Aliases, e-mail and phone hashes join external ids
    into one person. Devices join what is known only by them to a person, but never two people who
    have external ids. Independent of the order of rows. A device that was separated is a new one
    from then on, and its former hands are devices of their own (scoring.separation).

    Events of landing pages name their customer by a hash alone (CUSTOMER_HASH): they are that of
    whom ``hash_of`` (scoring.store.keys.hasher) gives the same hash, and nobody's until somebody
    has it, or without ``hash_of``.
    """
    pairs = _event_pairs(events)
    hashed = pc.equal(pairs[c.IDENTIFIER_KIND], c.CUSTOMER_HASH)
    with _duckdb() as connection:
        connection.register("event_pairs", pairs.filter(pc.invert(hashed)))
        connection.register("records", customers.to_pyarrow())
        connection.register("separated", pa.table({c.DEVICE_ID: _separated(events)}))
        _number(connection)
        nodes = connection.sql("SELECT kind, identifier FROM nodes ORDER BY node").to_arrow_table()
        edges = connection.sql(_EDGES).to_arrow_table()
        left, right = (edges[side].to_numpy() for side in ("left_node", "right_node"))
        kinds = nodes["kind"].to_numpy(zero_copy_only=False)
        people = _people(kinds == c.DEVICE_ID, kinds == c.EXTERNAL_ID, left, right)
        customer_ids = _customer_ids(nodes, people)
        identifiers = pa.table(
            {
                c.IDENTIFIER_KIND: nodes["kind"],
                c.IDENTIFIER: nodes["identifier"],
                c.CUSTOMER_ID: customer_ids,
            }
        )
        connection.register("identifiers", identifiers)
        hashes = set(pairs.filter(hashed)[c.IDENTIFIER].to_pylist())
        if hashes and hash_of:
            identifiers = _with_hashes(identifiers, hashes, hash_of)
        return Identity(identifiers, connection.sql(_PROFILES).to_arrow_table())


def _event_pairs(events: ibis.Table) -> pa.Table:
    """Distinct (identifier_kind, identifier, device_id) of the events."""
    return events.select(c.IDENTIFIER_KIND, c.IDENTIFIER, c.DEVICE_ID).distinct().to_pyarrow()


def _separated(events: ibis.Table) -> pa.Array:
    """The devices that were separated from somebody: string[n]."""
    unlinks = events.filter(events[c.EVENT_TYPE] == c.UNLINK).select(c.IDENTIFIER).distinct()
    names = unlinks.to_pyarrow()[c.IDENTIFIER].to_pylist()
    pasts = ((name, past_of(name)) for name in names)
    return pa.array(sorted({past.device if past else name for name, past in pasts}), pa.string())


def _number(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables ``pairs`` (see _PAIRS) and ``nodes`` (node from 0, in order of kind and
    identifier).
    """
    device, external = sql.literal(c.DEVICE_ID), sql.literal(c.EXTERNAL_ID)
    parts = [
        f"SELECT {c.IDENTIFIER_KIND}, {c.IDENTIFIER}, {device}, {c.DEVICE_ID} FROM event_pairs",
        f"SELECT {external}, {c.CUSTOMER_ID}, NULL, NULL FROM records",
    ]
    parts += [
        f"SELECT {external}, {c.CUSTOMER_ID}, {sql.literal(kind)}, "
        f"nullif(unnest({sql.listed_identifiers(c.IDENTIFIERS, kind)}), '') FROM records"
        for kind in c.IDENTIFIER_KINDS
        if kind != c.DEVICE_ID
    ]
    # a record has no date: a link that was taken away is not given back by it
    parts.append(
        f"SELECT * FROM (SELECT {external}, {c.CUSTOMER_ID}, {device}, "
        f"nullif(unnest({sql.listed_identifiers(c.IDENTIFIERS, c.DEVICE_ID)}), '') AS listed "
        f"FROM records) WHERE listed NOT IN (SELECT {c.DEVICE_ID} FROM separated)"
    )
    columns = ", ".join(f"{name}::VARCHAR AS {name}" for name in _PAIRS)
    connection.execute(
        f"CREATE TEMP TABLE pairs AS SELECT DISTINCT {columns} FROM "
        f"({' UNION ALL '.join(parts)}) t({', '.join(_PAIRS)})"
    )
    connection.execute(
        "CREATE TEMP TABLE nodes AS "
        "SELECT row_number() OVER (ORDER BY kind, identifier) - 1 AS node, kind, identifier FROM ("
        "SELECT left_kind AS kind, left_id AS identifier FROM pairs UNION "
        "SELECT right_kind, right_id FROM pairs WHERE right_id IS NOT NULL)"
    )


_EDGES = """
SELECT l.node AS left_node, r.node AS right_node FROM pairs
JOIN nodes l ON l.kind = left_kind AND l.identifier = left_id
JOIN nodes r ON r.kind = right_kind AND r.identifier = right_id
WHERE l.node <> r.node
"""

# Of several records of one person the smallest id that says something counts (arg_min leaves nulls
# out); a refused consent counts whichever record it is in.
_PROFILES = f"""
SELECT i.{c.CUSTOMER_ID},
  arg_min(r.{c.ATTRIBUTES}, r.{c.CUSTOMER_ID}) AS {c.ATTRIBUTES},
  arg_min(r.{c.TIMEZONE}, r.{c.CUSTOMER_ID}) AS {c.TIMEZONE},
  bool_and(r.{c.AD_CONSENT}) AS {c.AD_CONSENT},
  arg_min(r.{c.NIGHT_CONSENT}, r.{c.CUSTOMER_ID}) AS {c.NIGHT_CONSENT}
FROM identifiers i LEFT JOIN (SELECT *, '{c.EXTERNAL_ID}' AS kind FROM records) r
  ON i.{c.IDENTIFIER_KIND} = r.kind AND i.{c.IDENTIFIER} = r.{c.CUSTOMER_ID}
GROUP BY i.{c.CUSTOMER_ID} ORDER BY i.{c.CUSTOMER_ID}
"""


def _people(
    device: NDArray[np.bool_], external: NDArray[np.bool_], left: Labels, right: Labels
) -> Labels:
    """The person of each node, int64[n]; ``left`` and ``right`` are the ends of the edges."""
    by_device = device[left] | device[right]
    certain = _components(len(device), left[~by_device], right[~by_device])
    known = np.zeros(len(device), bool)  # by component: is it somebody with an external id
    known[certain[external]] = True
    ends = certain[left[by_device]], certain[right[by_device]]
    devices = np.where(device[left[by_device]], *ends)
    others = np.where(device[left[by_device]], *ends[::-1])
    devices, others = _without_shared(devices, others, known)
    devices, others = _without_bridges(devices, others, known)
    return _components(len(device), devices, others)[certain]


def _without_shared(
    devices: Labels, others: Labels, known: NDArray[np.bool_]
) -> tuple[Labels, Labels]:
    """The edges of devices that belong to at most one known person."""
    edges = np.unique(np.stack([devices, others]), axis=1)
    owners = np.bincount(edges[0][known[edges[1]]], minlength=len(known))
    own = (owners[edges[0]] <= 1) & (owners[edges[1]] <= 1)
    return edges[0][own], edges[1][own]


def _without_bridges(
    devices: Labels, others: Labels, known: NDArray[np.bool_]
) -> tuple[Labels, Labels]:
    """Cut where an unknown identifier with several devices would still join known people."""
    joined = _components(len(known), devices, others)
    crowded = np.bincount(joined[known], minlength=len(known)) > 1
    owned = np.zeros(len(known), bool)
    owned[devices[known[others]]] = True
    bridge = crowded[joined[devices]] & (owned[devices] | owned[others]) & ~known[others]
    return devices[~bridge], others[~bridge]


def _components(size: int, left: Labels, right: Labels) -> Labels:
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _customer_ids(nodes: pa.Table, people: Labels) -> pa.Array:
    """The customer_id of each node: string[n]."""
    external = np.flatnonzero(nodes["kind"].to_numpy(zero_copy_only=False) == c.EXTERNAL_ID)
    # nodes are sorted, so the first of a person is the smallest
    first = np.unique(people, return_index=True)[1]
    owner, position = np.unique(people[external], return_index=True)
    named = np.zeros(len(first), bool)
    named[owner] = True
    first[owner] = external[position]
    ids = nodes["identifier"].take(pa.array(first)).to_pylist()
    kinds = nodes["kind"].take(pa.array(first)).to_pylist()
    taken = {ids[person] for person in np.flatnonzero(named)}
    for person in np.flatnonzero(~named):
        candidate = f"{kinds[person]}:{ids[person]}"
        while candidate in taken:  # somebody's external id looks like this
            candidate = f"{kinds[person]}:{candidate}"
        taken.add(candidate)
        ids[person] = candidate
    return pa.array(ids, pa.string()).take(pa.array(people))


def _with_hashes(
    identifiers: pa.Table, hashes: set[str], hash_of: Callable[[str], bytes]
) -> pa.Table:
    """The same with those of ``hashes`` (hex) that an identifier has."""
    found = {
        digest: customer
        for kind, identifier, customer in zip(
            *(identifiers[name].to_pylist() for name in identifiers.column_names), strict=True
        )
        if (digest := hash_of(identifier_text(kind, identifier)).hex()) in hashes
    }
    rows = [[c.CUSTOMER_HASH] * len(found), list(found), list(found.values())]
    more = pa.table(dict(zip(identifiers.column_names, rows, strict=True)), identifiers.schema)
    order = [(c.IDENTIFIER_KIND, "ascending"), (c.IDENTIFIER, "ascending")]
    return pa.concat_tables([identifiers, more]).sort_by(order)


@contextmanager
def _duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        yield connection
