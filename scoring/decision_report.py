"""Looking at the log of decisions: figures by group, the newest answers, tables to take away.

A tool asks for HTML, text and AMP apart, and again after a failure: those are several answers of
one decision, which ``decision_id`` tells. None of them says that a person saw anything.
"""

# ruff: noqa: S608 - names come from scoring.columns, values through scoring.sql

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from scoring import columns as c
from scoring import sql
from scoring.decisions import SCHEMA, Decisions
from scoring.holdout import CONTROL
from scoring.identity import resolve
from scoring.lake import Lake
from scoring.merge import scan
from scoring.store.keys import customer_hash, identifier_text

GROUPS = (
    c.CAMPAIGN_ID, c.KIND, c.CHANNEL, c.ARM, c.REASON, c.SEND_REASON, c.POLICY, c.SNAPSHOT, c.DAY,
)  # fmt: skip
FIGURES = ("decisions", "answers", "customers", "fallback_share", "unsent_share", "control_share")
SHOWN = SCHEMA.append(pa.field(c.DAY, pa.string()))
_BATCH = 65_536
CUSTOMERS = pa.schema(
    [(name, pa.string()) for name in (c.CUSTOMER, c.IDENTIFIER_KIND, c.IDENTIFIER, c.CUSTOMER_ID)]
)


@dataclass(frozen=True)
class Which:
    """Decisions of the days since ≤ day < until (UTC) that have these values; None: any."""

    since: date | None = None
    until: date | None = None
    campaign: str | None = None
    kind: str | None = None
    customer: str | None = None  # hash in hex

    def condition(self) -> str:
        wanted = {c.CAMPAIGN_ID: self.campaign, c.KIND: self.kind, c.CUSTOMER: self.customer}
        tests = [f"{name} = {sql.literal(each)}" for name, each in wanted.items() if each]
        return " AND ".join(tests) or "true"


def counts(table: Decisions, by: str, which: Which) -> list[dict[str, Any]]:
    """FIGURES of each value of ``by`` (one of GROUPS), most decisions first. Shares are of
    decisions."""
    if by not in GROUPS:
        raise ValueError(f"found {by!r}, expected one of {', '.join(GROUPS)}")
    decisions = f"count(DISTINCT {c.DECISION_ID})"

    def share(of: str) -> str:
        return f"{decisions} FILTER (WHERE {of}) / {decisions}"

    control = f"{c.ARM} = {sql.literal(CONTROL)}"
    with _over(table, which) as rows:
        return _dicts(
            rows.query(
                "answers",
                f"SELECT {by}, {decisions} AS decisions, count(*) AS answers, "
                f"count(DISTINCT {c.CUSTOMER}) AS customers, "
                f"{share(f'{c.REASON} IS NOT NULL')} AS fallback_share, "
                f"{share(f'NOT {c.SEND}')} AS unsent_share, "
                f"{share(control)} AS control_share "
                f"FROM answers GROUP BY ALL ORDER BY decisions DESC, {by} NULLS LAST",
            )
        )


def newest(table: Decisions, which: Which, limit: int) -> list[dict[str, Any]]:
    """The last ``limit`` answers, newest first, every column."""
    with _over(table, which) as rows:
        return _dicts(
            rows.order(f"{c.DECIDED_AT} DESC, {c.PROCESS}, {c.SEQUENCE} DESC").limit(limit)
        )


def batches(table: Decisions, which: Which, *, once: bool) -> Iterator[pa.Table]:
    """Every answer by time, in the schema SHOWN; ``once``: of each decision the first one alone."""
    first = (
        f"QUALIFY row_number() OVER (PARTITION BY {c.DECISION_ID} "
        f"ORDER BY {c.DECIDED_AT}, {c.PROCESS}, {c.SEQUENCE}) = 1"
    )
    with _over(table, which) as rows:
        found = rows.query(
            "answers",
            f"SELECT * FROM answers {first if once else ''} "
            f"ORDER BY {c.DECIDED_AT}, {c.PROCESS}, {c.SEQUENCE}",
        )
        for batch in found.fetch_record_batch(_BATCH):
            yield pa.table(batch.columns, names=batch.schema.names).cast(SHOWN)


def customers(workspace_dir: Path, workspace: str, secret: bytes) -> pa.Table:
    """Whom each hash stands for: the schema CUSTOMERS, a row an identifier that the lake knows."""
    lake = Lake(workspace_dir / "lake")
    events = lake.events(before=datetime.max.replace(tzinfo=UTC))
    found = resolve(events, lake.customers()).identifiers.select(CUSTOMERS.names[1:])
    pairs = zip(found[c.IDENTIFIER_KIND].to_pylist(), found[c.IDENTIFIER].to_pylist(), strict=True)
    hashes = [customer_hash(secret, workspace, identifier_text(*pair)).hex() for pair in pairs]
    columns = [pa.array(hashes, pa.string()), *found.columns]
    return pa.table(columns, names=CUSTOMERS.names).cast(CUSTOMERS)


@contextmanager
def _over(table: Decisions, which: Which) -> Iterator[duckdb.DuckDBPyRelation]:
    """The answers that are asked for, as the view ``answers`` too."""
    files = table.files(since=which.since, until=which.until)
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = ", ".join(SHOWN.names)
        if not files:
            connection.register("nothing", SHOWN.empty_table())
        source = scan(files) if files else "nothing"
        yield connection.sql(f"SELECT {names} FROM {source} WHERE {which.condition()}")


def _dicts(rows: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
