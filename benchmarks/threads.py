"""How many threads a web worker should have, and what a flood does to it.

    python -m benchmarks.threads [--customers N] [--items N] [--seconds S] [--rounds N]

The shop and wrk of benchmarks.serving, on the machine's processors, which wrk and Valkey share.
First the same calls over 64 connections with 1 to 64 threads a worker, in turns: requests a second,
latency, and latency at 70 % of the best rate. Then, with the threads of the settings, floods: more
and more connections, each asking anew as soon as it is answered; how much of it got the prepared
answer (``overloaded``). The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from benchmarks.serving import HEADLINE, Run, published, serving, until_personal, wrk
from benchmarks.shop_at_scale import WORKSPACE, Size
from plugin.auth import ADMIN, CONTENT, Keys
from plugin.gunicorn_conf import threads as default

THREADS = (1, 2, 4, 8, 16, 32, 64)
FLOODS = (64, 250, 1000, 2000, 4000)
SHARE = 0.7
_CALLS = re.compile(r"^rightsend_content_seconds_count\{[^}]*\} (\S+)", re.MULTILINE)
_SHED = re.compile(r'^rightsend_content_fallbacks_total\{[^}]*"overloaded"\} (\S+)', re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=6, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--state", type=Path, help="keep the published shop here")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk, or your system's package of that name")
    with tempfile.TemporaryDirectory() as scratch:
        state = (asked.state or Path(scratch)).absolute()
        with published(state, Size(asked.customers, asked.items)) as store:
            key = Keys(state / "workspaces" / WORKSPACE).create([CONTENT, ADMIN])[1]
            environment = {"SERVING_STATE": str(state), "SERVING_STORE": store.url}
            by_threads = many_threads(environment, key, asked)
            floods = many_connections(environment, key, asked)
    told(by_threads, floods)


def many_threads(environment: dict[str, str], key: str, asked: Any) -> dict[int, list[Run]]:
    """Threads → a run at full speed and one at SHARE of the best speed, each the median round."""
    full = rounds(environment, key, asked, 0.0)
    best = max(run.per_s for run in full.values())
    calm = rounds(environment, key, asked, SHARE * best)
    return {threads: [full[threads], calm[threads]] for threads in THREADS}


def rounds(environment: dict[str, str], key: str, asked: Any, rate: float) -> dict[int, Run]:
    found: dict[int, list[Run]] = {threads: [] for threads in THREADS}
    for _ in range(asked.rounds):
        for threads in THREADS:
            with serving("plugin", environment | {"RIGHTSEND_THREADS": str(threads)}) as (url, _p):
                until_personal(url, key)
                found[threads].append(wrk(url, HEADLINE, key, asked, rate=rate))
    return {threads: middle(runs) for threads, runs in found.items()}


def middle(runs: list[Run]) -> Run:
    """The median of each number."""
    columns = zip(*runs, strict=True)
    return Run(*(statistics.median(column) for column in columns))


def many_connections(
    environment: dict[str, str], key: str, asked: Any
) -> dict[int, tuple[Run, float]]:
    """Connections → the run, and the share of its answers that were the prepared one."""
    found = {}
    for connections in FLOODS:
        with serving("plugin", environment) as (url, _process):
            until_personal(url, key)
            run = wrk(url, HEADLINE, key, asked, connections=connections)
            text = requests.get(f"{url}/metrics", headers={"X-Api-Key": key}, timeout=10).text
        calls, shed = (sum(map(float, each.findall(text))) for each in (_CALLS, _SHED))
        found[connections] = run, shed / calls
    return found


def told(by_threads: dict[int, list[Run]], floods: dict[int, tuple[Run, float]]) -> None:
    print(f"\n{'threads':>8}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}", end="")
    print(f"{f'p50 at {SHARE:.0%}':>13}{f'p99 at {SHARE:.0%}':>13}")
    for threads, (full, calm) in by_threads.items():
        print(f"{threads:>8}{full.per_s:>10.0f}{full.p50_ms:>9.1f}{full.p99_ms:>9.1f}", end="")
        print(f"{calm.p50_ms:>13.1f}{calm.p99_ms:>13.1f}")
    print(f"\n{'connections':>12}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'worst ms':>10}", end="")
    print(f"{'errors':>8}{'overloaded':>12}   ({default} threads)")
    for connections, (run, shed) in floods.items():
        print(f"{connections:>12}{run.per_s:>10.0f}{run.p50_ms:>9.1f}{run.p99_ms:>9.1f}", end="")
        print(f"{run.worst_ms:>10.1f}{run.errors:>8}{shed:>12.1%}")
    print(
        json.dumps(
            {
                "threads": {
                    str(threads): {"full": full._asdict(), "calm": calm._asdict()}
                    for threads, (full, calm) in by_threads.items()
                },
                "floods": {
                    str(connections): run._asdict() | {"overloaded": round(shed, 3)}
                    for connections, (run, shed) in floods.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
