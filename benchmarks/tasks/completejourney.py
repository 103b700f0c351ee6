"""The Complete Journey through the product's own path: import → lake → identity → features.

The workspace is the demo's without its ``as_of``, so that the lake holds the judged weeks too. What
is known of an item (its price) is of the cut-off.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from benchmarks.tasks.data import Data
from connectors.registry import SCHEMAS
from scoring import features, identity
from scoring.history import History
from scoring.identity import Identity
from scoring.importing import import_sources
from scoring.lake import Lake
from settings.load import load
from settings.workspace import WorkspaceSettings

END = datetime(2018, 2, 1, tzinfo=UTC)  # after the last event
SOURCES = ("purchases", "products", "households")


@lru_cache(maxsize=1)
def read(data: Data, cutoff: int) -> History:
    """All purchases, with the catalogue as it was at ``cutoff`` (hours)."""
    lake, people, _ = grocery(data)
    items = features.item_table(lake, datetime.fromtimestamp(cutoff * 3600, UTC))
    return features.build(lake, people, items, END)


@lru_cache(maxsize=1)
def grocery(data: Data) -> tuple[Lake, Identity, WorkspaceSettings]:
    """All of the year, imported as the demo imports it."""
    folder = data.cache / "completejourney"
    spec = find_spec("rightsend")
    if spec is None or spec.origin is None:
        raise SystemExit("rightsend is not installed")
    config = Path(spec.origin).parent / "defaults" / "grocery.yaml"
    workspace = load(config, connection_schemas=SCHEMAS).workspaces["grocery"]
    report = import_sources(replace(workspace, as_of=END), folder, now=END, only=SOURCES)
    if errors := [error for source in report.sources for error in source.errors]:
        raise SystemExit("; ".join(errors))
    lake = Lake(folder / "lake")
    return lake, identity.resolve(lake.events(before=END), lake.customers()), workspace
