"""How fast, how sparingly and in how much memory a million customers are synced.

    python -m benchmarks.sync [--customers N] [--nights FOLDER] [--rate N]

Two nights of the demo's grocery shop, one day apart, are computed as `rightsend nightly` does (or
found in ``--nights``). Their customers, repeated until there are N, are synced with eight
attributes, as one would configure them (ATTRIBUTES below), to a double of Braze that takes ``rate``
requests in 3 seconds: the whole of the first night, then what the second changes, then the second
once more. The double's state is compared with what is configured, its refusals (429) are counted.

``rate_share``: requests of the first sync over those allowed in the time of sending;
``delta_share``: data points of the second night over those of a full write; ``peak_mb``: of the
syncing process, and beside it for a tenth of the customers. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson
import requests

from benchmarks.doubles.braze import digest
from connectors import delivery
from connectors.delivery.attributes import Rendering
from connectors.delivery.ledger import canonical
from rightsend.context import Context
from rightsend.progress import Progress
from scoring import nightly
from scoring import snapshot as snapshots
from scoring.snapshot import Snapshot
from settings.workspace import AttributeSettings as Attribute
from settings.workspace import ConnectionSettings, WorkspaceSettings

ATTRIBUTES = (
    Attribute("rs_probability", "purchase_probability", buckets=(0.1, 0.3, 0.6),
              labels=("low", "fair", "high", "sure"), priority=3),
    Attribute("rs_expected", "expected_purchases", round_to=2.0),
    Attribute("rs_items", "top_items", length=5, hold=2, priority=2),
    Attribute("rs_brands", "top_brands", length=3, hold=1),
    Attribute("rs_categories", "top_categories", length=3, hold=1),
    Attribute("rs_brand_probability", "top_brand_probability", round_to=0.2),
    Attribute("rs_category_probability", "top_category_probability", round_to=0.2),
    Attribute("rs_scored_on", "scored_on", along=True),
)  # fmt: skip
WINDOW_S = 3
States = dict[str, bytes]  # customer → attributes as canonical JSON
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=3_000, help="requests in 3 seconds")
    parser.add_argument("--nights", type=Path, help="keep the two nights here")
    parser.add_argument("--sync", nargs=3, help=argparse.SUPPRESS)  # url, snapshot folder, state
    arguments = parser.parse_args()
    if arguments.sync:
        url, folder, state = arguments.sync
        print(json.dumps(synced(url, Path(folder), Path(state), arguments.customers)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        first, second = nights(arguments.nights or Path(scratch) / "nights")
        runs = measured(first, second, Path(scratch), arguments.customers, arguments.rate)
        tenth = measured(
            first, second, Path(scratch) / "tenth", arguments.customers // 10, arguments.rate
        )
    figures = told(runs, tenth, arguments.rate)
    print(json.dumps(figures))


def nights(state: Path) -> tuple[Path, Path]:
    """Folders of two snapshots of the demo's shop, a day apart, the earlier one first."""
    context = Context.load(state=state)
    workspace = context.workspace()
    folder = context.workspace_dir(workspace)
    now = context.now(workspace)
    progress = Progress()
    kept = snapshots.kept(folder) if folder.exists() else []
    while len(kept) < 2:
        night(context, workspace, now - timedelta(days=1 - len(kept)), progress)
        kept = snapshots.kept(folder)
    newest, before = kept[:2]
    return folder / "snapshots" / before.snapshot, folder / "snapshots" / newest.snapshot


def night(context: Context, workspace: WorkspaceSettings, now: Any, progress: Progress) -> None:
    def nothing(snapshot: Snapshot) -> Any:
        return {}

    nightly.run(
        nightly.NightlyContext(
            workspace=workspace,
            workspace_dir=context.workspace_dir(workspace),
            now=now,
            progress=progress,
            publish=nothing,
            sync=nothing,
            run_id=None,
            secret=context.secret,
            active=None,
        )
    )


def measured(
    first: Path, second: Path, scratch: Path, customers: int, rate: int
) -> list[dict[str, Any]]:
    """Reports of three syncs, each in a process of its own."""
    scratch.mkdir(parents=True, exist_ok=True)
    copies = -(-customers // Snapshot.open(first, verify=False).meta.customers)
    rendering = Rendering(ATTRIBUTES)
    before: States = {}
    runs = []
    with double(rate) as url:
        for name, folder in (("first", first), ("second", second), ("again", second)):
            command = [sys.executable, "-m", "benchmarks.sync", "--customers", str(copies)]
            command += ["--sync", url, str(folder), str(scratch / "state.sqlite")]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            before = states(rendering, scores_of(folder), before)
            held = requests.get(f"{url}/digest", timeout=600).json()
            counts = requests.get(f"{url}/counts", timeout=60).json()
            report = json.loads(done.stdout.splitlines()[-1])
            exact = held["digest"] == digest(copied(before, copies))
            runs.append({"run": name, **report, "exact": exact, "told": counts})
    return runs


def synced(url: str, folder: Path, state: Path, copies: int) -> dict[str, Any]:
    """One sync, with the memory that it took."""
    options = {"url": url, "api_key": "key"}
    connection = ConnectionSettings("crm", "sandbox", ATTRIBUTES, options)
    wishes = copied(scores_of(folder), copies)
    report = delivery.sync(connection, wishes, state_path=state, progress=Progress())
    return {**report.to_json(), "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Of this process since it was started (rusage would count its parent's, too)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


def scores_of(folder: Path) -> dict[str, dict[str, Any]]:
    snapshot = Snapshot.open(folder, verify=False)
    return dict(snapshot.attributes([each.score for each in ATTRIBUTES]))


def states(rendering: Rendering, scores: dict[str, dict[str, Any]], before: States) -> States:
    """What each customer's profile should hold, as the double keeps it."""
    found = {}
    for customer, own in scores.items():
        coarse, exact = rendering.render(own)
        held = orjson.loads(before.get(customer, b"{}"))
        found[customer] = canonical(rendering.settled(coarse, exact or {}, held)).encode()
    return found


def copied(found: Mapping[str, T], copies: int) -> Iterator[tuple[str, T]]:
    """The same customers under new ids, as often as asked, in the order of the ids."""
    for copy in range(copies):
        for customer, own in found.items():
            yield f"{copy:05}-{customer}", own


def told(
    runs: Sequence[Mapping[str, Any]], tenth: Sequence[Mapping[str, Any]], rate: int
) -> dict[str, Any]:
    """Prints a line a run; returns the figures."""
    print(f"{'':8}{'customers':>10}{'changed':>10}{'requests':>9}{'data points':>12}{'plan s':>8}"
          f"{'send s':>8}{'rate':>7}{'429':>5}{'MB':>6}  exact")  # fmt: skip
    for run in [*runs, *tenth]:
        plan_s = run["seconds"] - run["sending_s"]
        used = run["requests"] / run["sending_s"] * WINDOW_S / rate if run["requests"] else 0.0
        print(
            f"{run['run']:8}{run['profiles']:>10,}{run['changed']:>10,}{run['requests']:>9,}"
            f"{run['data_points']:>12,}{plan_s:>8.1f}{run['sending_s']:>8.1f}{used:>7.1%}"
            f"{run['told'].get('refused', 0):>5}{run['peak_mb']:>6.0f}  {run['exact']}"
        )
    first, second, again = runs
    return {
        "rate_share": first["requests"] / first["sending_s"] * WINDOW_S / rate,
        "delta_share": second["data_points"] / second["data_points_full"],
        "peak_mb": max(run["peak_mb"] for run in runs),
        "peak_mb_of_a_tenth": max(run["peak_mb"] for run in tenth),
        "refused": again["told"].get("refused", 0),
        "requests_again": again["requests"],
        "exact": all(run["exact"] for run in [*runs, *tenth]),
    }


@contextmanager
def double(rate: int) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.doubles.braze", "--port", str(port)]
    process = subprocess.Popen([*command, "--rate", str(rate), "--window", str(WINDOW_S)])
    url = f"http://127.0.0.1:{port}"
    try:
        await_answer(f"{url}/counts")
        yield url
    finally:
        process.terminate()
        process.wait()


def await_answer(url: str, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            requests.get(url, timeout=5)
            return
        except requests.exceptions.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
