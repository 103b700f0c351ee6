"""A night's scores as a folder of Parquet files: write, open, verify, prune, export.

The folder is written beside its place and moved there by one rename, so that it is all there or
not at all. The same tables give the same bytes (fixed schemas, row groups and compression), which
is why a rerun of the night can be compared byte for byte. docs/architecture.md lists the files.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoring import columns as c
from scoring.snapshot_schema import (
    LATER_TABLES,
    ROW_GROUP,
    SCHEMAS,
    SnapshotError,
    SnapshotTables,
    check_extras,
    check_indexes,
    check_reasons,
    completed,
    conform,
)

META = "meta.json"
MODEL = "model"
HORIZONS = "horizons"  # below the model folder: what segment jobs add later, and may replace
SCORES = "scores"


@dataclass(frozen=True)
class SnapshotMeta:
    """What meta.json holds. Counts are rows of the tables; ``digest`` is SHA-256 (hex) of
    scores.parquet and ``files`` that of every file but those of HORIZONS; times are UTC;
    ``quality`` is the gate's."""

    snapshot: str
    workspace: str
    cutoff: datetime
    created_at: datetime
    horizon_days: int
    customers: int = 0
    items: int = 0
    brands: int = 0
    categories: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; times in ISO 8601."""
        return asdict(self) | {
            "cutoff": self.cutoff.isoformat(),
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SnapshotMeta:
        """The inverse of to_json. Raises SnapshotError naming what is missing or unknown."""
        try:
            times = {key: datetime.fromisoformat(document[key]) for key in ("cutoff", "created_at")}
            return cls(**{**document, **times})
        except (KeyError, TypeError, ValueError) as problem:
            raise SnapshotError(f"not a snapshot's meta.json: {problem}") from problem


class Snapshot:
    """An opened snapshot folder; tables are read when asked for."""

    def __init__(self, folder: Path, meta: SnapshotMeta) -> None:
        self.folder = folder
        self.meta = meta

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> Snapshot:
        """Reads meta.json and compares each file with its digest (about 1 GB a second).

        Raises SnapshotError for a missing, half-written or altered folder.
        """
        meta = _read_meta(folder)
        if verify:
            for name, digest in meta.files.items():
                path = folder / name
                if not path.is_file():
                    raise SnapshotError(f"{path} is missing: {_WHAT_TO_DO}")
                if _sha256(path) != digest:
                    raise SnapshotError(
                        f"{path} differs from the digest in {META}: it was altered or damaged; "
                        f"{_WHAT_TO_DO}"
                    )
        return cls(folder, meta)

    @property
    def model(self) -> Path:
        """The folder with what segment jobs need (arrays and JSON)."""
        return self.folder / MODEL

    def table(self, name: str) -> pa.Table:
        """One of scoring.snapshot_schema.SCHEMAS, whole. Raises SnapshotError if unreadable."""
        file = self.folder / f"{name}.parquet"
        if name in LATER_TABLES and not file.exists():
            return SCHEMAS[name].empty_table()
        try:
            table = pq.read_table(file, schema=SCHEMAS[name])
        except (OSError, pa.ArrowException) as problem:
            raise SnapshotError(_unreadable(self.folder, name, problem)) from problem
        return completed(name, table)

    def items(self) -> pa.Table:
        return self.table("items")

    def brands(self) -> pa.Table:
        return self.table("brands")

    def categories(self) -> pa.Table:
        return self.table("categories")

    def scores(self) -> pa.Table:
        return self.table(SCORES)

    def identifiers(self) -> pa.Table:
        return self.table("identifiers")

    def related(self) -> pa.Table:
        return self.table("related")

    def popular(self) -> pa.Table:
        return self.table("popular")

    def arrivals(self) -> pa.Table:
        return self.table("arrivals")

    def batches(
        self, name: str = SCORES, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """A table in pieces of at most ROW_GROUP rows, so that memory stays flat.

        Without ``columns`` all that the file holds, which an older snapshot may have fewer of.
        """
        try:
            with pq.ParquetFile(self.folder / f"{name}.parquet") as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=columns)
        except (OSError, pa.ArrowException) as problem:
            raise SnapshotError(_unreadable(self.folder, name, problem)) from problem

    def attributes(self, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(customer_id, {score name: value}) for scores of columns.ATTRIBUTE_SCORES, in customer
        order. A customer with no brands has ``None`` as top brand probability, and one whose hours
        are not known as best hour. Raises SnapshotError for a name that is none of the scores."""
        unknown = sorted(set(names) - set(c.ATTRIBUTE_SCORES))
        if unknown:
            known = ", ".join(c.ATTRIBUTE_SCORES)
            raise SnapshotError(f"unknown score {', '.join(unknown)}: expected one of {known}")
        labels = {
            c.TOP_ITEMS: self.items()[c.ITEM_ID],
            c.TOP_BRANDS: self.brands()[c.BRAND],
            c.TOP_CATEGORIES: self.categories()[c.CATEGORY],
        }
        day = {c.SCORED_ON: self.meta.cutoff.date().isoformat()} if c.SCORED_ON in names else {}
        read = [name for name in names if name not in day]
        wanted = sorted({_SCORE_COLUMNS[name] for name in read} | {c.CUSTOMER_ID})
        for rows in self.batches(columns=wanted):
            values = [_score_values(rows, name, labels) for name in read]
            ids = rows[c.CUSTOMER_ID].to_pylist()
            for customer_id, *scores in zip(ids, *values, strict=True):
                yield customer_id, dict(zip(read, scores, strict=True), **day)


_WHAT_TO_DO = "remove the folder and run `rightsend nightly`, or roll back to another snapshot"
_INDEX_COLUMNS = {
    c.TOP_ITEMS: c.ITEM_INDEX,
    c.TOP_BRANDS: c.BRAND_INDEX,
    c.TOP_CATEGORIES: c.CATEGORY_INDEX,
}
_FIRST_COLUMNS = {
    c.TOP_BRAND_PROBABILITY: c.BRAND_PROBABILITY,
    c.TOP_CATEGORY_PROBABILITY: c.CATEGORY_PROBABILITY,
}
_SCORE_COLUMNS = {
    c.PURCHASE_PROBABILITY: c.PURCHASE_PROBABILITY,
    c.EXPECTED_PURCHASES: c.EXPECTED_PURCHASES,
    c.BEST_HOUR: c.BEST_HOUR,
    **_INDEX_COLUMNS,
    **_FIRST_COLUMNS,
}


def write(
    folder: Path,
    meta: SnapshotMeta,
    tables: SnapshotTables,
    *,
    model: Callable[[Path], None] | None = None,
) -> SnapshotMeta:
    """Writes ``tables`` (and what ``model`` puts into the model folder) to ``folder``.

    Counts and digests of ``meta`` are filled in. An existing folder of that name is replaced.
    Raises SnapshotError if a table does not fit its schema or an index points outside.
    """
    fitted = {name: conform(name, getattr(tables, name)) for name in SCHEMAS}
    check_indexes(fitted)
    check_reasons(fitted[SCORES])
    check_extras(fitted[SCORES])
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(beside, ignore_errors=True)
    (beside / MODEL).mkdir(parents=True)
    for name, table in fitted.items():
        _write_parquet(beside / f"{name}.parquet", table)
    if model is not None:
        model(beside / MODEL)
    added = beside / MODEL / HORIZONS
    files = {
        path.relative_to(beside).as_posix(): _sha256(path)
        for path in sorted(beside.rglob("*"))
        if path.is_file() and not path.is_relative_to(added)
    }
    complete = replace(
        meta,
        customers=fitted[SCORES].num_rows,
        items=fitted["items"].num_rows,
        brands=fitted["brands"].num_rows,
        categories=fitted["categories"].num_rows,
        digest=files["scores.parquet"],
        files=files,
    )
    (beside / META).write_text(json.dumps(complete.to_json(), indent=1, sort_keys=True) + "\n")
    _flush(beside)
    _replace_folder(beside, folder)
    return complete


def kept(workspace_dir: Path) -> list[SnapshotMeta]:
    """The complete snapshots on disk, newest first; folders without a readable meta.json are
    not counted (a killed write leaves none under a snapshot's name)."""
    metas = []
    for path in sorted((workspace_dir / "snapshots").glob(f"[!.]*/{META}")):
        try:
            metas.append(_read_meta(path.parent))
        except SnapshotError:
            continue
    return sorted(metas, key=lambda meta: (meta.created_at, meta.snapshot), reverse=True)


def prune(workspace_dir: Path, keep: int, *, protect: Collection[str] = ()) -> list[str]:
    """Removes all but the newest ``keep`` snapshots and those in ``protect`` (the active one).

    Returns the ids that were removed.
    """
    removed = []
    for meta in kept(workspace_dir)[max(keep, 0) :]:
        if meta.snapshot not in protect:
            shutil.rmtree(workspace_dir / "snapshots" / meta.snapshot)
            removed.append(meta.snapshot)
    return removed


def erase(
    folder: Path,
    customer_ids: Collection[str],
    *,
    model: Callable[[Path, Collection[str]], None] | None = None,
) -> int:
    """Rewrites the snapshot without these customers; returns how many rows of scores went.

    ``model`` takes the customers out of a copy of the model folder (scoring.segment.forget).
    Digests are renewed.
    """
    snapshot = Snapshot.open(folder)
    gone = pa.array(sorted(customer_ids), pa.string())
    tables = {name: snapshot.table(name) for name in SCHEMAS}
    for name in (SCORES, "identifiers"):
        present = pc.is_in(tables[name][c.CUSTOMER_ID], value_set=gone)
        tables[name] = tables[name].filter(pc.invert(present))
    removed = snapshot.meta.customers - tables[SCORES].num_rows
    if (
        removed
        or tables["identifiers"].num_rows
        < pq.read_metadata(folder / "identifiers.parquet").num_rows
    ):

        def copied(target: Path) -> None:
            _copy_tree(snapshot.model, target)
            if model is not None:
                model(target, customer_ids)

        write(folder, snapshot.meta, SnapshotTables(**tables), model=copied)
    return removed


def _score_values(rows: pa.Table, name: str, labels: Mapping[str, Any]) -> list[Any]:
    if _SCORE_COLUMNS[name] not in rows.column_names:  # an older snapshot's
        return [None] * rows.num_rows
    column = rows[_SCORE_COLUMNS[name]].combine_chunks()
    if name in _INDEX_COLUMNS:
        names = pc.take(labels[name], pc.list_flatten(column)).to_pylist()
        offsets = column.offsets.to_pylist()
        base = offsets[0]
        return [names[a - base : b - base] for a, b in itertools.pairwise(offsets)]
    if name in _FIRST_COLUMNS:
        return [values[0] if values else None for values in column.to_pylist()]
    return column.to_pylist()


def _write_parquet(path: Path, table: pa.Table) -> None:
    """Row groups are cut and combined here: how the caller's table was chunked leaves no trace."""
    with pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=3) as writer:
        for start in range(0, table.num_rows, ROW_GROUP):
            piece = table.slice(start, ROW_GROUP).combine_chunks()
            writer.write_table(piece, row_group_size=ROW_GROUP)


def _read_meta(folder: Path) -> SnapshotMeta:
    try:
        document = json.loads((folder / META).read_bytes())
    except FileNotFoundError:
        raise SnapshotError(f"{folder} holds no snapshot ({META} is missing)") from None
    except (OSError, ValueError) as problem:
        raise SnapshotError(f"{folder / META} is unreadable ({problem}): {_WHAT_TO_DO}") from None
    if not isinstance(document, dict):
        raise SnapshotError(f"{folder / META} is not a JSON object: {_WHAT_TO_DO}")
    return SnapshotMeta.from_json(document)


def _unreadable(folder: Path, name: str, problem: Exception) -> str:
    return f"{folder / name}.parquet is unreadable ({problem}): {_WHAT_TO_DO}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_tree(source: Path, target: Path) -> None:
    if source.is_dir():
        half_done = shutil.ignore_patterns(".*")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=half_done)


def _replace_folder(beside: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Onto the disk before the rename: after a power cut the folder is whole or not there."""
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
