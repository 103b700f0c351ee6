"""Who was erased: keyed hashes, so that a later import leaves their rows out without knowing
them.
"""

# ruff: noqa: S608 - names come from scoring.columns

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from scoring import canonical, sql
from scoring import columns as c
from settings.secret import all_of

ERASED_FILE = "erased.json"
_HASH_BYTES = 16


class ErasureError(ValueError):
    """Erasures cannot be honoured; the text says why and what to do."""


class Erased:
    """The erased (identifier_kind, identifier) pairs of a workspace, as keyed hashes."""

    def __init__(self, workspace_dir: Path, secret: bytes | None) -> None:
        """Raises ErasureError if people were erased and there is no ``secret`` to know them by."""
        self._path = workspace_dir / ERASED_FILE
        self._hashes = _read(self._path)
        if self._hashes and not secret:
            raise ErasureError(
                f"{self._path}: the installation's secret is needed to honour erasures"
            )
        self._secret = secret or b""
        self._keys = [each[:64] for each in all_of(self._secret)]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def add(self, identifiers: Collection[tuple[str, str]]) -> None:
        """Remember these identifiers (atomically on disk)."""
        if not self._secret:
            raise ErasureError("a secret is needed to remember an erasure")
        self._hashes |= {_hash(self._keys[0], *pair) for pair in identifiers}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"version": 1, "hashes": sorted(self._hashes)}))
        os.replace(temporary, self._path)  # noqa: PTH105

    def holds(self, kind: str, identifier: str) -> bool:
        return any(_hash(key, kind, identifier) in self._hashes for key in self._keys)

    def rows(self, connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> np.ndarray:
        """bool, one a row: does it belong to an erased identifier."""
        if not self._hashes or table not in (canonical.EVENTS, canonical.CUSTOMERS):
            return np.zeros(rows.num_rows, bool)
        numbered = rows.append_column("erasure_row", pa.array(np.arange(rows.num_rows)))
        connection.register("erasure_rows", numbered)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE erasure_pairs AS {_pairs(table)}")
        found = connection.execute(
            "SELECT DISTINCT kind, identifier FROM erasure_pairs WHERE identifier IS NOT NULL"
        ).fetchall()
        hits = [pair for pair in found if self.holds(*pair)]
        marked = np.zeros(rows.num_rows, bool)
        if hits:
            connection.register("erasure_hits", _pair_table(hits))
            numbers = connection.execute(
                "SELECT DISTINCT erasure_row FROM erasure_pairs "
                "SEMI JOIN erasure_hits USING (kind, identifier)"
            ).fetchnumpy()["erasure_row"]
            marked[np.asarray(numbers, np.int64)] = True
        connection.unregister("erasure_rows")
        connection.execute("DROP TABLE erasure_pairs")
        return marked


def _hash(key: bytes, kind: str, identifier: str) -> str:
    text = f"{kind}\0{identifier}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_HASH_BYTES, key=key).hexdigest()


def _pairs(table: str) -> str:
    """SQL: erasure_row, kind, identifier of every identifier in a row."""
    if table == canonical.EVENTS:
        return (
            f"SELECT erasure_row, {c.IDENTIFIER_KIND} AS kind, {c.IDENTIFIER} AS identifier "
            f"FROM erasure_rows UNION ALL SELECT erasure_row, {sql.literal(c.DEVICE_ID)}, "
            f"{c.DEVICE_ID} FROM erasure_rows"
        )
    own = (
        f"SELECT erasure_row, {sql.literal(c.EXTERNAL_ID)} AS kind, "
        f"{c.CUSTOMER_ID} AS identifier FROM erasure_rows"
    )
    listed = [
        f"SELECT erasure_row, {sql.literal(kind)}, "
        f"unnest({sql.listed_identifiers(c.IDENTIFIERS, kind)}) FROM erasure_rows"
        for kind in c.IDENTIFIER_KINDS
    ]
    return " UNION ALL ".join([own, *listed])


def _pair_table(pairs: Iterable[tuple[str, str]]) -> pa.Table:
    kinds, identifiers = zip(*pairs, strict=True)
    return pa.table({"kind": pa.array(kinds), "identifier": pa.array(identifiers)})


def _read(path: Path) -> set[str]:
    try:
        document = json.loads(path.read_text())
        return set(document["hashes"])
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError) as error:
        raise ErasureError(f"{path}: not a list of erasures; restore it from a backup") from error
