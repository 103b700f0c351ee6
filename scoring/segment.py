"""Who would answer this campaign: the customers of a target, best first, as many as are worth it.

A single item, brand or category is scored by its level's stacker. Several with ``any`` become one
target of their own, described like every other (bought any of them, how often, how lately).
Several with ``all`` are taken as independent once the customer shops at all:
P(shops) Π P(target) / P(shops).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scoring import columns as c
from scoring import exclusions, model_files
from scoring import history as histories
from scoring.fitted import ANY, Fitted
from scoring.history import BOUGHT, CLICKED, History
from scoring.lake import Lake
from scoring.level import Level
from scoring.models import Floats, Ints
from scoring.segment_request import SegmentError, SegmentRequest, Target
from scoring.training import Progress
from settings.workspace import WorkspaceSettings

KINDS = {"purchase": BOUGHT, "click": CLICKED}
CURVE_SHARES = (0.01, 0.02, 0.05, *(k / 10 for k in range(1, 11)))
TREATMENT, CONTROL = "treatment", "control"


@dataclass(frozen=True)
class SegmentResult:
    """``members``: customer_id, rank (int32 from 1), probability (float32), arm."""

    members: pa.Table
    summary: dict[str, Any]


def select(
    snapshot_folder: Path,
    request: SegmentRequest,
    lake: Lake,
    workspace: WorkspaceSettings,
    *,
    now: datetime,
    progress: Progress,
) -> SegmentResult:
    """The members of a segment, best first. Raises SegmentError."""
    audience = _Audience.of(snapshot_folder, request, lake, workspace, now, progress)
    size = audience.size()
    chosen = audience.order[:size]
    holdout = request.holdout_share
    if holdout is None:
        holdout = workspace.segments.holdout_share
    arms = _arms(audience.ids(chosen), request.name, holdout)
    members = pa.table(
        {
            c.CUSTOMER_ID: pa.array(audience.ids(chosen), pa.string()),
            c.RANK: pa.array(np.arange(1, size + 1), pa.int32()),
            c.PROBABILITY: pa.array(audience.probability[chosen], pa.float32()),
            c.ARM: pa.array(arms, pa.string()),
        }
    )
    summary = audience.figures(size) | {
        "held_out": arms.count(CONTROL),
        "horizon_days": request.horizon_days,
        "goal": request.goal,
    }
    progress("segment", 3, 3)
    return SegmentResult(members, summary)


def preview(
    snapshot_folder: Path,
    request: SegmentRequest,
    lake: Lake,
    workspace: WorkspaceSettings,
    *,
    now: datetime,
    progress: Progress,
) -> dict[str, Any]:
    """Size against expected responses, cost and profit, at CURVE_SHARES of all customers.

    ``requested`` is what the request's own size rule gives, ``most_profitable`` the size at which
    the next customer is no longer worth the send. Raises SegmentError.
    """
    audience = _Audience.of(snapshot_folder, request, lake, workspace, now, progress)
    available = len(audience.order)
    sizes = [min(round(share * audience.n_known), available) for share in CURVE_SHARES]
    return {
        "customers": audience.n_known,
        "available": available,
        "curve": [audience.figures(size) for size in dict.fromkeys(sizes) if size],
        "requested": audience.figures(audience.size()),
        "most_profitable": audience.figures(audience.profitable()),
        "horizon_days": request.horizon_days,
        "goal": request.goal,
    }


def forget(model_folder: Path, customer_ids: Collection[str]) -> None:
    """Blanks the ids of these customers in a snapshot's model folder; they are never selected."""
    path = model_folder / "history" / "customers.npy"
    customers = np.load(path, allow_pickle=False)
    customers[np.isin(customers, list(customer_ids))] = ""
    np.save(path, customers, allow_pickle=False)
    profiles = pq.read_table(model_folder / "customers.parquet")
    kept = ~np.isin(profiles[c.CUSTOMER_ID].to_pylist(), list(customer_ids))
    pq.write_table(profiles.filter(pa.array(kept)), model_folder / "customers.parquet")


@dataclass(frozen=True)
class _Audience:
    """All customers with their probability; ``order``: those who may get it, best first."""

    request: SegmentRequest
    customers: NDArray[np.str_]
    probability: Floats
    order: NDArray[np.int64]
    n_known: int
    cost: float
    margin: float

    @classmethod
    def of(
        cls,
        folder: Path,
        request: SegmentRequest,
        lake: Lake,
        workspace: WorkspaceSettings,
        now: datetime,
        progress: Progress,
    ) -> _Audience:
        try:
            history = histories.load(folder / "model" / "history")
            fitted = model_files.load(folder / "model" / "fitted")
        except (OSError, ValueError, model_files.ModelFilesError) as problem:
            raise SegmentError(f"the snapshot's model cannot be read: {problem}") from problem
        if KINDS[request.goal] not in fitted.judges:
            raise SegmentError(
                f"goal {request.goal} was not learned: the workspace has too few {request.goal} "
                "events; ask for goal purchase"
            )
        progress("segment", 1, 3)
        targets = _targets(history, request.target)
        probability = _probability(history, fitted, targets, request)
        known = history.known_customers(fitted.cutoff) & (history.customers != "")
        inside = _membership(history, targets) == 0
        settings = workspace.segments
        allowed = known & exclusions.allowed(
            folder, history, inside, request.exclusions, lake, settings, now
        )
        order = np.lexsort((np.arange(len(probability)), -probability))
        progress("segment", 2, 3)
        cost = settings.cost_per_send if request.cost_per_send is None else request.cost_per_send
        margin = request.margin
        if margin is None:
            margin = _mean_price(history, targets) * settings.margin_share
        ordered = order[allowed[order]]
        n_known = int(known.sum())
        return cls(request, history.customers, probability, ordered, n_known, cost, margin)

    def ids(self, rows: NDArray[np.int64]) -> list[str]:
        return [str(name) for name in self.customers[rows]]

    def size(self) -> int:
        """How many the request's size rule takes."""
        rule, available = self.request.size, len(self.order)
        if rule.count is not None:
            return min(rule.count, available)
        if rule.share is not None:
            return min(round(rule.share * self.n_known), available)
        if rule.minimum_probability is not None:
            return int((self.probability[self.order] >= rule.minimum_probability).sum())
        if rule.budget is not None:
            if self.cost <= 0:
                raise SegmentError(
                    "a budget needs a cost per send: give cost_per_send or set "
                    "segments.cost_per_send in the workspace"
                )
            return int(min(rule.budget / self.cost + 1e-9, available))  # which may be infinite
        return self.profitable()

    def profitable(self) -> int:
        """As many as bring more margin than their send costs."""
        return int((self.probability[self.order] * self.margin > self.cost).sum())

    def figures(self, size: int) -> dict[str, Any]:
        """What sending to the ``size`` best is expected to bring."""
        expected = float(self.probability[self.order[:size]].sum())
        everyone = float(self.probability[self.order].mean()) if len(self.order) else 0.0
        return {
            "count": size,
            "share": round(size / max(self.n_known, 1), 4),
            "expected_responses": round(expected, 2),
            "expected_rate": round(expected / size, 4) if size else 0.0,
            "lift": round(expected / size / everyone, 2) if size and everyone else None,
            "cost": round(size * self.cost, 2),
            "profit": round(expected * self.margin - size * self.cost, 2),
        }


@dataclass(frozen=True)
class _Member:
    level: str
    number: int


def _targets(history: History, target: Target) -> list[_Member]:
    """The request's names as numbers. Raises SegmentError naming the unknown ones."""
    wanted = {"item": target.items, "brand": target.brands, "category": target.categories}
    found, unknown = [], []
    for level, names in wanted.items():
        known = history.catalogue.names[level]
        for name in dict.fromkeys(names):
            at = int(np.searchsorted(known, name))
            if at < len(known) and known[at] == name:
                found.append(_Member(level, at))
            else:
                unknown.append(f"{level} {name!r}")
    if unknown:
        raise SegmentError(
            f"not in the catalogue: {', '.join(unknown[:10])}; write names as the items source does"
        )
    if not found:
        raise SegmentError("the target is empty: name items, brands or categories")
    return found


def _probability(
    history: History, fitted: Fitted, targets: list[_Member], request: SegmentRequest
) -> Floats:
    """float32[n_customers]: probability of an answer within the request's horizon."""
    kind = KINDS[request.goal]
    everyone = np.arange(history.n_customers, dtype=np.int32)
    if len(targets) > 1 and request.target.match == "all":
        shops = np.maximum(fitted.probability(ANY, everyone, np.zeros_like(everyone), kind), 1e-9)
        out = shops.astype(np.float64)
        for member in targets:
            single = _single(fitted, member, everyone, kind)
            out *= np.minimum(single / shops, 1.0)
    elif len(targets) > 1:
        out = _union(history, fitted, targets, everyone, kind).astype(np.float64)
    else:
        out = _single(fitted, targets[0], everyone, kind).astype(np.float64)
    if request.horizon_days != fitted.horizon_days:
        # a constant hazard: what the model's horizon says, per day
        out = 1.0 - (1.0 - out) ** (request.horizon_days / fitted.horizon_days)
    return out.astype(np.float32)


def _single(fitted: Fitted, member: _Member, everyone: Ints, kind: int) -> Floats:
    return fitted.probability(member.level, everyone, np.full_like(everyone, member.number), kind)


def _union(
    history: History, fitted: Fitted, targets: list[_Member], everyone: Ints, kind: int
) -> Floats:
    """The members as one target: its own past, the best of the members' collaborative scores.

    Judged by the category stacker: the widest groups it learned from come closest to a union.
    """
    group = Level.fit_group(history, _membership(history, targets), fitted.cutoff)
    category = fitted.levels["category"]
    zeros = np.zeros_like(everyone)
    columns: dict[str, NDArray] = {}
    for name, scorer in category.scorers.items():
        if name in group.scorers:
            columns[name] = group.scorers[name].describe(everyone, zeros)
        else:
            columns[name] = _best(fitted, targets, name, everyone, len(scorer.features))
    share = columns["repeat"][:, 2:3] / np.maximum(columns["activity"][:, 2:3], 0.5)
    described = np.column_stack([*columns.values(), share])
    return fitted.in_horizon(fitted.judges[kind]["category"].probability(described))


def _best(
    fitted: Fitted, targets: list[_Member], scorer: str, everyone: Ints, width: int
) -> Floats:
    """float32[n, width]: the highest score of any member; NaN where none is known."""
    best = np.full((len(everyone), width), np.nan, dtype=np.float32)
    for member in targets:
        column = np.full_like(everyone, member.number)
        score = fitted.levels[member.level].scorers[scorer].describe(everyone, column)
        best = np.fmax(best, score)
    return best


def _membership(history: History, targets: list[_Member]) -> Ints:
    """int32[n_items]: 0 for items that belong to any target, -1 for the others."""
    inside = np.zeros(history.catalogue.n_items, dtype=bool)
    for member in targets:
        inside |= history.catalogue.of_item[member.level] == member.number
    return np.where(inside, 0, -1).astype(np.int32)


def _arms(customer_ids: list[str], name: str, holdout_share: float) -> list[str]:
    """Treatment or control by a hash of segment name and customer: repeatable, independent."""
    limit = round(holdout_share * 2**64)
    return [
        CONTROL if _hash(f"{name}\0{customer}") < limit else TREATMENT for customer in customer_ids
    ]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _mean_price(history: History, targets: list[_Member]) -> float:
    """Mean price of the purchases of the target; without any, of its items."""
    membership = _membership(history, targets)
    item = history.item[(history.kind == BOUGHT) & (history.item >= 0)]
    price = history.catalogue.price[item[membership[item] == 0]]
    if not np.isfinite(price).any():
        price = history.catalogue.price[membership == 0]
    finite = price[np.isfinite(price)]
    return float(finite.mean()) if len(finite) else 0.0
