"""What is to be sent: the desired state against the books, before anything leaves.

The desired state is spooled into a scratch file, compared inside SQLite with what was accepted,
and every difference encoded and kept there: memory does not grow with the number of customers,
and a dry run is a plan that nobody sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from connectors.delivery.ledger import NOTHING, Ledger, canonical, content_hash, now
from connectors.delivery.packing import Record, pack
from connectors.errors import Reject
from connectors.tool import Target

PAGE = 2_000
REMOVAL = 1e9  # the urgency of taking away what is desired no more

SCHEMA = """
CREATE TABLE spool.desired(
    customer_id TEXT PRIMARY KEY, attributes TEXT, exact TEXT, content_hash BLOB NOT NULL,
    problem TEXT) WITHOUT ROWID;
CREATE TABLE spool.record(
    seq INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, names TEXT NOT NULL,
    points INTEGER NOT NULL, desired TEXT NOT NULL, content_hash BLOB NOT NULL,
    lane TEXT NOT NULL, body BLOB NOT NULL, urgency REAL NOT NULL);
CREATE TABLE spool.request(
    number INTEGER PRIMARY KEY, lane TEXT NOT NULL, members TEXT NOT NULL, bodies BLOB NOT NULL);
"""

DIFFERENT = """
SELECT d.customer_id, d.attributes, d.exact, d.content_hash, coalesce(a.attributes, '{}'),
    coalesce(u.names, '[]')
FROM spool.desired AS d
LEFT JOIN accepted AS a ON a.space = :space AND a.customer_id = d.customer_id
LEFT JOIN doubt AS u ON u.space = :space AND u.customer_id = d.customer_id
LEFT JOIN quarantine AS q ON q.space = :space AND q.customer_id = d.customer_id
WHERE d.customer_id > :after
AND d.attributes IS NOT NULL
AND (coalesce(a.attributes, '{}') != d.attributes OR u.names IS NOT NULL)
AND q.content_hash IS NOT d.content_hash
ORDER BY d.customer_id LIMIT :page
"""

State = Mapping[str, Any]


class Wish(NamedTuple):
    """What one key is desired to be: a state, or a Reject when nobody can say (it then stays as
    it is in the tool). ``exact`` are the values before they were made coarse, where it matters."""

    key: str
    state: State | Reject
    exact: State | None = None


class Unfit(NamedTuple):
    """A key whose change cannot be encoded, a hash of what was desired, and why."""

    key: str
    content: bytes
    reason: str


class Policy(NamedTuple):
    """What is worth writing.

    ``settled(coarse, exact, accepted)`` is the state to have, given what the tool holds: noise is
    not a change. ``urgency(change, accepted)`` orders changes when a budget cannot hold them all;
    ``budget`` is in data points a run, None: no limit.
    """

    settled: Callable[[State, State, State], State] | None = None
    urgency: Callable[[State, State], float] = lambda change, accepted: 0.0
    budget: int | None = None


class Plan:
    """Open with ``with Plan(ledger, scratch, target, policy) as plan``; one user at a time a
    scratch file, which is gone afterwards."""

    def __init__(self, ledger: Ledger, scratch: Path, target: Target, policy: Policy) -> None:
        self._ledger = ledger
        self._db = ledger.db
        self._scratch = scratch
        self._target = target
        self._policy = policy
        scratch.unlink(missing_ok=True)
        self._db.execute("ATTACH DATABASE ? AS spool", [str(scratch)])
        self._db.execute("PRAGMA spool.journal_mode = OFF")
        self._db.execute("PRAGMA spool.synchronous = OFF")
        for statement in SCHEMA.split(";"):
            self._db.execute(statement)

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.execute("DETACH DATABASE spool")
        self._scratch.unlink(missing_ok=True)

    def desire(self, wishes: Iterable[Wish]) -> None:
        """Spool the whole desired state; keys that are not in it are desired empty. Of a key given
        twice the last counts."""
        # Deferred: only the scratch file is locked while the caller computes the states.
        with self._ledger.transaction("DEFERRED"):
            self._db.executemany(
                "INSERT OR REPLACE INTO spool.desired VALUES (?, ?, ?, ?, ?)",
                map(_spooled, wishes),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO spool.desired"
                " SELECT customer_id, :nothing, NULL, :hash, NULL FROM ("
                "SELECT customer_id FROM accepted WHERE space = :space"
                " UNION SELECT customer_id FROM doubt WHERE space = :space)",
                {"nothing": NOTHING, "hash": content_hash(NOTHING), "space": self._ledger.space},
            )

    def problems(self) -> list[tuple[str, int]]:
        """Why states could not be spooled: (reason, keys), most frequent first."""
        query = "SELECT problem, count(*) FROM spool.desired WHERE problem IS NOT NULL GROUP BY 1"
        return sorted(self._db.execute(query), key=lambda row: (-row[1], row[0]))

    def compare(self, tick: Callable[[int], None] = lambda done: None) -> list[Unfit]:
        """Encode every difference; returns what the tool can never take.

        ``tick`` is told how many were compared.
        """
        refused: list[Unfit] = []
        after, done = "", 0
        while page := self._db.execute(
            DIFFERENT, {"space": self._ledger.space, "after": after, "page": PAGE}
        ).fetchall():
            after = page[-1][0]
            with self._ledger.transaction("DEFERRED"):
                self._db.executemany(
                    "INSERT INTO spool.record(customer_id, names, points, desired, content_hash,"
                    " lane, body, urgency) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    self._encoded(page, refused),
                )
            done += len(page)
            tick(done)
        return refused

    def _encoded(
        self, page: list[tuple[Any, ...]], refused: list[Unfit]
    ) -> Iterator[tuple[Any, ...]]:
        settled, urgency = self._policy.settled, self._policy.urgency
        longest = self._target.limits.item_bytes
        for key, coarse, exact, content, accepted_text, doubtful in page:
            accepted, desired, text = orjson.loads(accepted_text), orjson.loads(coarse), coarse
            if exact is not None and settled is not None:
                desired = settled(desired, orjson.loads(exact), accepted)
                text = canonical(dict(desired))
            change = _change(desired, accepted, orjson.loads(doubtful))
            if not change:
                continue
            names = orjson.dumps(list(change)).decode()
            try:
                encoded = self._target.encode(key, change)
                if len(encoded.body) > longest:
                    raise Reject("the record is larger than the tool takes")
            except Reject as error:
                refused.append(Unfit(key, content, error.what))
                continue
            first = REMOVAL if text == NOTHING else urgency(change, accepted)
            yield key, names, len(change), text, content, encoded.lane, encoded.body, first

    def postpone(self) -> tuple[int, int]:
        """Leave out what the budget cannot hold, least urgent first: (keys, data points)."""
        if self._policy.budget is None:
            return 0, 0
        self._db.execute(
            "CREATE TABLE spool.late AS SELECT seq, points FROM (SELECT seq, points, sum(points)"
            " OVER (ORDER BY urgency DESC, seq) AS spent FROM spool.record) WHERE spent > ?",
            [self._policy.budget],
        )
        keys, points = self._db.execute(
            "SELECT count(*), coalesce(sum(points), 0) FROM spool.late"
        ).fetchone()
        self._db.execute("DELETE FROM spool.record WHERE seq IN (SELECT seq FROM spool.late)")
        return keys, points

    def totals(self) -> tuple[int, int]:
        """(keys, data points) to be sent."""
        query = "SELECT count(*), coalesce(sum(points), 0) FROM spool.record"
        keys, points = self._db.execute(query).fetchone()
        return keys, points

    def count(self, removals: bool) -> int:
        """Keys whose state is taken away, or else written."""
        sign = "=" if removals else "!="
        query = f"SELECT count(*) FROM spool.record WHERE desired {sign} ?"  # noqa: S608
        count: int = self._db.execute(query, [NOTHING]).fetchone()[0]
        return count

    def pack(self) -> int:
        """Cut what is to be sent into requests; returns how many.

        Done beforehand, so that while requests are under way one row is read for each.
        """
        requests = pack(self._records(), self._target.limits)
        with self._ledger.transaction("DEFERRED"):
            self._db.executemany(
                "INSERT INTO spool.request(lane, members, bodies) VALUES (?, ?, ?)",
                map(_packed, requests),
            )
        count: int = self._db.execute("SELECT count(*) FROM spool.request").fetchone()[0]
        return count

    def _records(self) -> Iterator[Record]:
        after = 0
        query = (
            "SELECT seq, customer_id, points, lane, body"
            " FROM spool.record WHERE seq > ? ORDER BY seq LIMIT ?"
        )
        while page := self._db.execute(query, [after, PAGE]).fetchall():
            after = page[-1][0]
            yield from map(Record._make, page)

    def requests(self) -> Iterator[list[Record]]:
        """What was packed, in order; books may be kept meanwhile."""
        query = "SELECT lane, members, bodies FROM spool.request WHERE number = ?"
        number = 1
        while (row := self._db.execute(query, [number]).fetchone()) is not None:
            yield _unpacked(*row)
            number += 1

    def tidy(self) -> None:
        """Close the books of a run: quarantine what could not be spooled, forget the refusals of
        keys of which the tool is known to hold what is desired, or nothing when none is."""
        over = (
            "SELECT q.customer_id FROM quarantine AS q"
            " LEFT JOIN spool.desired AS d ON d.customer_id = q.customer_id"
            " LEFT JOIN accepted AS a ON a.space = q.space AND a.customer_id = q.customer_id"
            " LEFT JOIN doubt AS u ON u.space = q.space AND u.customer_id = q.customer_id"
            " WHERE q.space = :space AND u.customer_id IS NULL"
            " AND (d.customer_id IS NULL OR d.attributes IS NOT NULL)"
            " AND coalesce(d.attributes, '{}') = coalesce(a.attributes, '{}')"
        )
        values = {"space": self._ledger.space, "at": now()}
        with self._ledger.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO quarantine SELECT :space, customer_id, problem,"
                " content_hash, :at FROM spool.desired WHERE problem IS NOT NULL",
                values,
            )
            self._db.execute(
                f"DELETE FROM quarantine WHERE space = :space AND customer_id IN ({over})",  # noqa: S608
                values,
            )


def _packed(records: list[Record]) -> tuple[str, str, bytes]:
    members = [(r.seq, r.key, r.points, len(r.body)) for r in records]
    return records[0].lane, orjson.dumps(members).decode(), b"".join([r.body for r in records])


def _unpacked(lane: str, members: str, bodies: bytes) -> list[Record]:
    records, start = [], 0
    for seq, key, points, length in orjson.loads(members):
        records.append(Record(seq, key, points, lane, bodies[start : start + length]))
        start += length
    return records


def _spooled(wish: Wish) -> tuple[str, str | None, str | None, bytes, str | None]:
    key, state, exact = wish
    if isinstance(state, Reject):
        return key, None, None, content_hash(state.what), state.what
    try:
        text = canonical(dict(state))
        exact_text = None if exact is None else orjson.dumps(dict(exact)).decode()
    except TypeError:  # an integer over 64 bits, or an object
        return _spooled(Wish(key, Reject("a value cannot be written as JSON")))
    return key, text, exact_text, content_hash(text), None


def _change(desired: State, accepted: State, in_doubt: list[str]) -> dict[str, Any]:
    if not accepted and not in_doubt:
        return dict(desired)
    return {
        name: desired.get(name)
        for name in sorted({*desired, *accepted, *in_doubt})
        if name in in_doubt or desired.get(name) != accepted.get(name)
    }
