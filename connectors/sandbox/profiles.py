"""Profiles and cohorts as the sandbox keeps them, and what it refuses about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.sandbox.storage import Storage

STANDARD_FIELDS = frozenset(
    {"first_name", "last_name", "email", "phone", "country", "home_city", "language", "gender",
     "dob", "time_zone"}
)  # fmt: skip
IDENTIFIERS = ("external_id", "user_alias", "braze_id")
LONGEST_EXTERNAL_ID_BYTES = 987
LONGEST_ARRAY = 500


class RefusedItemError(Exception):
    """One object of a request is not taken; the text is what the answer says about it."""


@dataclass(frozen=True)
class Profiles:
    """``now`` gives ISO times."""

    storage: Storage
    now: Callable[[], str]

    def apply(self, db: sqlite3.Connection, item: Any, blocked: Collection[str]) -> int:
        """Write one attributes object; returns its data points. Raises RefusedItemError."""
        external_id, values = read_item(item, blocked)
        existing_only = values.pop("_update_existing_only", False) is True
        values.pop("_merge_objects", None)
        row = db.execute(
            "SELECT fields, custom FROM profile WHERE external_id = ?", [external_id]
        ).fetchone()
        if row is None and existing_only:
            return 0
        fields = orjson.loads(row["fields"]) if row else {}
        custom = orjson.loads(row["custom"]) if row else {}
        for name, value in values.items():
            _set(fields if name in STANDARD_FIELDS else custom, name, value)
        now = self.now()
        db.execute(
            "INSERT INTO profile VALUES (?, ?, ?, ?, ?) ON CONFLICT(external_id) DO UPDATE SET"
            " fields = excluded.fields, custom = excluded.custom, updated_at = excluded.updated_at",
            (external_id, _json(fields), _json(custom), now, now),
        )
        return len(values)

    def get(self, external_id: str) -> dict[str, Any] | None:
        row = self.storage.row("SELECT * FROM profile WHERE external_id = ?", [external_id])
        if row is None:
            return None
        cohorts = self.storage.rows(
            "SELECT cohort_id FROM cohort_member WHERE external_id = ? ORDER BY 1", [external_id]
        )
        return {**_readable(row), "cohorts": [cohort["cohort_id"] for cohort in cohorts]}

    def page(self, after: str, count: int) -> list[dict[str, Any]]:
        """The next profiles by external id."""
        return [
            _readable(row)
            for row in self.storage.rows(
                "SELECT * FROM profile WHERE external_id > ? ORDER BY 1 LIMIT ?", [after, count]
            )
        ]

    def delete(self, external_ids: Sequence[str]) -> int:
        """Erase profiles with their memberships and messages; returns how many there were."""
        with self.storage.transaction() as db:
            deleted = 0
            for external_id in external_ids:
                for table in ("cohort_member", "message"):
                    db.execute(f"DELETE FROM {table} WHERE external_id = ?", [external_id])  # noqa: S608
                db.execute(
                    "DELETE FROM shelf WHERE name = 'braze:alias' AND value = ?",
                    [_json({"external_id": external_id})],
                )
                db.execute(
                    "DELETE FROM shelf WHERE name LIKE 'braze:triggered:%' "
                    "AND json_extract(value, '$.customer_id') = ?",
                    [external_id],
                )
                deleted += db.execute(
                    "DELETE FROM profile WHERE external_id = ?", [external_id]
                ).rowcount
        self.storage.forget()
        return deleted

    def identify(self, external_id: str, alias_name: str, alias_label: str) -> None:
        """Give the alias to this profile, which is made if missing; whoever has it keeps it."""
        alias = {"alias_name": alias_name, "alias_label": alias_label}
        now = self.now()
        with self.storage.transaction() as db:
            taken = db.execute(
                "INSERT OR IGNORE INTO shelf VALUES ('braze:alias', ?, ?)",
                (_json(alias), _json({"external_id": external_id})),
            )
            if not taken.rowcount:
                return
            db.execute(
                "INSERT OR IGNORE INTO profile VALUES (?, '{}', '{}', ?, ?)",
                (external_id, now, now),
            )
            row = db.execute("SELECT fields FROM profile WHERE external_id = ?", [external_id])
            fields = orjson.loads(row.fetchone()["fields"])
            fields["user_aliases"] = [*fields.get("user_aliases", []), alias]
            db.execute(
                "UPDATE profile SET fields = ? WHERE external_id = ?", [_json(fields), external_id]
            )

    def merge(self, gone: str, kept: str) -> None:
        """Attributes that only ``gone`` has go to ``kept``; nothing when either is not there."""
        there = [self.get(gone), self.get(kept)]
        if gone == kept or None in there:
            return
        custom = [person["custom_attributes"] for person in there if person]
        self.storage.write(
            "UPDATE profile SET custom = ? WHERE external_id = ?",
            [_json({**custom[0], **custom[1]}), kept],
        )
        self.delete([gone])

    def declare_cohort(self, cohort_id: str, name: str) -> None:
        self.storage.write(
            "INSERT INTO cohort VALUES (?, ?, ?) ON CONFLICT(cohort_id)"
            " DO UPDATE SET name = excluded.name",
            (cohort_id, name, self.now()),
        )

    def change_cohort(self, cohort_id: str, coming: Iterable[str], leaving: Iterable[str]) -> None:
        """Unknown members get an empty profile: more lenient than Braze, which leaves them out."""
        now = self.now()
        with self.storage.transaction() as db:
            for external_id in coming:
                db.execute(
                    "INSERT OR IGNORE INTO profile VALUES (?, '{}', '{}', ?, ?)",
                    (external_id, now, now),
                )
                db.execute(
                    "INSERT OR IGNORE INTO cohort_member VALUES (?, ?)", (cohort_id, external_id)
                )
            db.executemany(
                "DELETE FROM cohort_member WHERE cohort_id = ? AND external_id = ?",
                [(cohort_id, external_id) for external_id in leaving],
            )

    def members(self, cohort_id: str) -> list[str]:
        rows = self.storage.rows(
            "SELECT external_id FROM cohort_member WHERE cohort_id = ? ORDER BY 1", [cohort_id]
        )
        return [row["external_id"] for row in rows]

    def cohorts(self) -> list[dict[str, Any]]:
        return self.storage.rows(
            "SELECT c.*, count(m.external_id) AS members FROM cohort AS c"
            " LEFT JOIN cohort_member AS m USING(cohort_id) GROUP BY c.cohort_id"
            " ORDER BY c.created_at"
        )


def read_item(item: Any, blocked: Collection[str]) -> tuple[str, dict[str, Any]]:
    """(external id, everything else) of an attributes object. Raises RefusedItemError."""
    if not isinstance(item, dict):
        raise RefusedItemError("an attributes object must be a JSON object")
    given = [name for name in IDENTIFIERS if item.get(name) is not None]
    if len(given) != 1:
        raise RefusedItemError("'external_id', 'braze_id' or 'user_alias' is required, one of them")
    external_id = item.get("external_id")
    if not isinstance(external_id, str) or not external_id:
        raise RefusedItemError("the sandbox knows profiles by 'external_id', a string, only")
    if len(external_id.encode()) > LONGEST_EXTERNAL_ID_BYTES:
        raise RefusedItemError("'external_id' is too long")
    if external_id in blocked:
        raise RefusedItemError("Provided external_id is blacklisted and disallowed.")
    values = {name: value for name, value in item.items() if name != "external_id"}
    for name, value in values.items():
        _check_value(name, value)
    return external_id, values


def _check_value(name: str, value: Any) -> None:
    elements = value if isinstance(value, list) else []
    if len(elements) > LONGEST_ARRAY:
        raise RefusedItemError(f"array '{name[:100]}' has more than {LONGEST_ARRAY} elements")
    if any(isinstance(element, list) for element in elements):
        raise RefusedItemError(f"array '{name[:100]}' holds an array")


def _set(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    elif isinstance(value, Mapping) and value.keys() <= {"add", "remove"} and value:
        left = [e for e in values.get(name) or [] if e not in (value.get("remove") or [])]
        values[name] = list(dict.fromkeys([*left, *(value.get("add") or [])]))
    else:
        values[name] = value


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "external_id": row["external_id"],
        **orjson.loads(row["fields"]),
        "custom_attributes": orjson.loads(row["custom"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _json(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
