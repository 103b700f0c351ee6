"""Who would answer this campaign: the customers of a target, best first, as many as are worth it.

A single item, brand or category is scored by its level's stacker. Several with ``any``, a rule
and a list are one target of their own (scoring.segment_groups); several with ``all`` are
multiplied (scoring.segment_audience).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scoring import columns as c
from scoring import exclusions, segment_targets
from scoring.holdout import CONTROL, arm
from scoring.lake import Lake
from scoring.progress import Progress
from scoring.reasons.reason import decode
from scoring.reasons.words import told
from scoring.segment_audience import Audience, chances
from scoring.segment_models import Judged, Models
from scoring.segment_request import SegmentError, SegmentRequest
from scoring.segment_targets import GROUP, Part
from scoring.store.keys import customer_hash
from settings.workspace import WorkspaceSettings

_STEPS = 4


@dataclass(frozen=True)
class SegmentResult:
    """``members``: customer_id, rank (int32 from 1), probability (float32), arm, reasons (text in
    the workspace's language) and reason_codes, both joined by "; "."""

    members: pa.Table
    summary: dict[str, Any]


def select(
    snapshot_folder: Path,
    request: SegmentRequest,
    lake: Lake,
    workspace: WorkspaceSettings,
    *,
    now: datetime,
    secret: bytes,
    progress: Progress,
) -> SegmentResult:
    """The members of a segment, best first. ``secret``: the installation's, by which it is settled
    who is held out. Raises SegmentError."""
    campaign = _Campaign.of(snapshot_folder, request, workspace, progress)
    audience = campaign.audience(lake, now)
    size = audience.size(request.size)
    chosen = audience.order[:size]
    ids = [str(name) for name in campaign.models.history.customers[chosen]]
    hashes = (customer_hash(secret, workspace.workspace, each) for each in ids)
    share = _holdout_share(request, workspace)
    arms = [arm(customer, request.name, share) for customer in hashes]
    reasons, codes = campaign.reasons(audience, chosen)
    members = pa.table(
        {
            c.CUSTOMER_ID: pa.array(ids, pa.string()),
            c.RANK: pa.array(np.arange(1, size + 1), pa.int32()),
            c.PROBABILITY: pa.array(audience.probability[:size], pa.float32()),
            c.ARM: pa.array(arms, pa.string()),
            c.REASONS: pa.array(reasons, pa.string()),
            c.REASON_CODES: pa.array(codes, pa.string()),
        }
    )
    progress("segment", _STEPS, _STEPS)
    held_out = {"held_out": arms.count(CONTROL)}
    summary = audience.figures(size) | held_out | audience.terms | campaign.asked
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
    """Size against expected responses (with their 95 % interval), cost and profit.

    ``requested`` is what the request's own size rule gives, ``most_profitable`` the size at which
    the next customer is no longer worth the send. Raises SegmentError.
    """
    campaign = _Campaign.of(snapshot_folder, request, workspace, progress)
    audience = campaign.audience(lake, now)
    progress("segment", _STEPS, _STEPS)
    return {
        "customers": audience.n_known,
        "available": len(audience.order),
        "curve": audience.curve(),
        "requested": audience.figures(audience.size(request.size)),
        "most_profitable": audience.figures(audience.profitable()),
        **audience.terms,
        **campaign.asked,
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
class _Campaign:
    """A request with the models that judge it. ``judged``: one for each of ``parts``."""

    folder: Path
    request: SegmentRequest
    workspace: WorkspaceSettings
    models: Models
    items: pa.Table
    parts: Sequence[Part]
    judged: Sequence[Judged]
    progress: Progress

    @classmethod
    def of(
        cls, folder: Path, request: SegmentRequest, workspace: WorkspaceSettings, progress: Progress
    ) -> _Campaign:
        models = Models.open(
            folder / "model", request.goal, request.horizon_days, workspace.models, progress
        )
        try:
            items = pq.read_table(folder / "items.parquet")
        except (OSError, pa.ArrowException) as problem:
            raise SegmentError(f"the snapshot's items cannot be read: {problem}") from problem
        parts = segment_targets.parts(models.history, items, request.target, models.tonight.cutoff)
        progress("segment", 1, _STEPS)
        judged = [models.judged(part) for part in parts]
        return cls(folder, request, workspace, models, items, parts, judged, progress)

    @property
    def asked(self) -> dict[str, Any]:
        return {"horizon_days": self.models.horizon_days, "goal": self.request.goal}

    def audience(self, lake: Lake, now: datetime) -> Audience:
        """Everybody who may get it, best first."""
        history, settings = self.models.history, self.workspace.segments
        everyone = np.arange(history.n_customers, dtype=np.int32)
        shops = self.models.anything() if len(self.judged) > 1 else None
        found = chances(self.judged, shops, everyone)
        self.progress("segment", 2, _STEPS)
        inside = np.logical_or.reduce([part.inside for part in self.parts])
        known = history.known_customers(self.models.tonight.cutoff) & (history.customers != "")
        allowed = known & exclusions.allowed(
            self.folder, history, inside, self.request.exclusions, lake, settings, now
        )
        order = np.lexsort((everyone, -found.probability))
        self.progress("segment", 3, _STEPS)
        cost, margin = self.request.cost_per_send, self.request.margin
        if cost is None:
            cost = settings.cost_per_send
        if margin is None:
            margin = segment_targets.mean_margin(history, self.items, inside, settings.margin_share)
        return Audience(found, order[allowed[order]], int(known.sum()), cost, margin)

    def reasons(self, audience: Audience, chosen: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """(sentences, codes) of each chosen customer, by what speaks most for it."""
        strongest = audience.chances.strongest[chosen]
        packed = np.zeros((len(chosen), 3), dtype=np.uint32)
        for number, judged in enumerate(self.judged):
            rows = np.flatnonzero(strongest == number)
            if len(rows):
                packed[rows] = judged.reasons(chosen[rows].astype(np.int32))
        about = self.parts[0].level if len(self.parts) == 1 else GROUP
        return _told(packed, self.workspace.locale, about)


def _told(packed: NDArray[np.uint32], locale: str, about: str) -> tuple[list[str], list[str]]:
    """(sentences, codes), each row's joined by "; "; what many have in common is told once."""
    distinct, number = np.unique(packed, axis=0, return_inverse=True)
    decoded = [decode(row) for row in distinct]
    sentences = [told(reasons, locale, about) for reasons in decoded]
    codes = ["; ".join(reason.code for reason in reasons) for reasons in decoded]
    rows = number.ravel()
    return [sentences[row] for row in rows], [codes[row] for row in rows]


def _holdout_share(request: SegmentRequest, workspace: WorkspaceSettings) -> float:
    """What was asked for, else what the campaign of this name holds out when it is sent."""
    if request.holdout_share is not None:
        return request.holdout_share
    return workspace.send.holdouts.get(request.name, workspace.segments.holdout_share)
