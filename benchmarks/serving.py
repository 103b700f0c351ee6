"""How fast content calls are answered, beside a bare WSGI app under the same gunicorn.

    python -m benchmarks.serving [--customers N] [--items N] [--seconds S] [--rounds N]

A made-up shop (benchmarks.shop_at_scale) is published into an embedded Valkey. Then wrk asks with
64 connections, for random customers, in turns: the plugin, and bare apps that do nothing but one
GET of an answer's bytes from the same Valkey, by redis-py (``bare``: what anybody would write) and
by the plugin's own wire (``wire``). All run with the plugin's gunicorn settings.

``ratio_to_bare`` and ``ratio_to_wire``: median over the rounds of requests a second over those of
the bare app in the same round; ``p99_ms_at_half``: at half of the plugin's rate; ``worker_mb``:
resident memory of the larger web worker after all of it (shared pages counted in full);
``start_s``: from the start of gunicorn to the first personal answer, the shared columns being
there, and ``first_start_s`` without them; ``store_mb_per_million``: Valkey's used_memory before the
calls. The last line is JSON. wrk must be installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests

from benchmarks import store as store_sizes
from benchmarks.serving_apps import BARE_KEY, SECRET
from benchmarks.shop_at_scale import WORKSPACE, Size, customer_name, item_name, write
from plugin.auth import Keys
from plugin.gunicorn_conf import threads, workers
from rightsend.valkey import EmbeddedValkey
from scoring.snapshot import Snapshot
from scoring.store.client import connect
from scoring.store.keys import Keys as StoreKeys
from scoring.store.publish import Publisher

CONNECTIONS = 64
LIMIT = 10
SETTLE_S = 1.0
HEADLINE = f"/v1/content/for-you?customer=customer-%d&campaign=spring&limit={LIMIT}"
KINDS = {
    "for-you": HEADLINE,
    "for-you, 3 items": "/v1/content/for-you?customer=customer-%d&campaign=spring&limit=3",
    "for-you, unknown": "/v1/content/for-you?customer=nobody-%d&campaign=spring&limit=10",
    "for-you, max_price": f"{HEADLINE}&max_price=50",
    "related": f"/v1/content/related?customer=customer-%d&item={item_name(7)}&limit=10",
    "bought-together": f"/v1/content/bought-together?customer=customer-%d&item={item_name(7)}",
    "new-arrivals": "/v1/content/new-arrivals?customer=customer-%d",
    "replenishment": "/v1/content/replenishment?customer=customer-%d",
    "price-drop": "/v1/content/price-drop?customer=customer-%d",
    "brands": "/v1/content/brands?customer=customer-%d",
    "rank, 20 items": "/v1/content/rank?customer=customer-%d&limit=10&items="
    + ",".join(map(item_name, range(20))),
}
TOGETHER = {"plugin": "plugin", "bare": "bare", "wire": "bare_wire"}
_HERE = Path(__file__).parent


class Run(NamedTuple):
    """One run of wrk; latencies in ms."""

    per_s: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    errors: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=8, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--state", type=Path, help="keep the published shop here")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk, or your system's package of that name")
    with tempfile.TemporaryDirectory() as scratch:
        state = (arguments.state or Path(scratch)).absolute()
        size = Size(arguments.customers, arguments.items)
        with published(state, size) as store:
            figures = measured(state, store, arguments)
    told(figures)
    print(json.dumps(figures))


@contextmanager
def published(state: Path, size: Size) -> Iterator[EmbeddedValkey]:
    """A Valkey that holds the shop; made anew unless the state folder has it."""
    folder = state / "workspaces" / WORKSPACE
    server = EmbeddedValkey(state / "valkey")
    server.start()
    server.wait_ready(timeout_s=120)
    try:
        with connect(server.url) as client:
            publisher = Publisher(client, WORKSPACE, SECRET.encode(), folder)
            active = publisher.active()
            if active is None or (active.customers, active.items) != (size.customers, size.items):
                snapshot = made(state, size)
                print(f"publishing {snapshot.meta.customers} customers …", file=sys.stderr)
                publisher.publish(snapshot, ttl_s=30 * 86_400, now=snapshot.meta.cutoff, grace_s=0)
        yield server
    finally:
        server.stop()


def made(state: Path, size: Size) -> Snapshot:
    print(f"making a shop of {size.customers} customers …", file=sys.stderr)
    return write(state / "shop", size)


def measured(state: Path, store: EmbeddedValkey, arguments: Any) -> dict[str, Any]:
    folder = state / "workspaces" / WORKSPACE
    keys = Keys(folder)
    key_id, key = keys.create("content", label="benchmark")
    try:
        return _measured(state, store, key, arguments)
    finally:
        keys.revoke(key_id)


def _measured(state: Path, store: EmbeddedValkey, key: str, arguments: Any) -> dict[str, Any]:
    environment = {"SERVING_STATE": str(state), "SERVING_STORE": store.url}
    shutil.rmtree(state / "workspaces" / WORKSPACE / "published", ignore_errors=True)
    with connect(store.url) as client:
        client.delete(StoreKeys(WORKSPACE).decisions)  # of a run before: no worker drains them here
        used = store_sizes.used(client) * 1_000_000 / arguments.customers
    with serving("plugin", environment) as (url, _):
        first_start_s = until_personal(url, key)
    with serving("plugin", environment) as (url, process):
        start_s = until_personal(url, key)
        time.sleep(SETTLE_S)
        put_bare(store, url + HEADLINE, key)
        rounds = [
            turn(environment, url, key, arguments, number) for number in range(arguments.rounds)
        ]
        rate = statistics.median(each["plugin"].per_s for each in rounds)
        half = wrk(url, HEADLINE, key, arguments, rate=rate / 2)
        kinds = {
            name: kind(environment, store, url, path, key, arguments)
            for name, path in KINDS.items()
        }
        memory_mb = max(map(resident_mb, children(process.pid)))
    return {
        "ratio_to_bare": ratio(rounds, "bare"),
        "ratio_to_wire": ratio(rounds, "wire"),
        "requests_per_s": {
            name: round(statistics.median(each[name].per_s for each in rounds)) for name in TOGETHER
        },
        "p99_ms_at_half": round(half.p99_ms, 1),
        "rate_at_half": round(half.per_s),
        "worker_mb": round(memory_mb, 1),
        "start_s": round(start_s, 2),
        "first_start_s": round(first_start_s, 2),
        "store_mb_per_million": round(used / 1e6, 1),
        "errors": sum(run.errors for each in rounds for run in each.values()) + half.errors,
        "kinds": {
            name: {app: run._asdict() for app, run in runs.items()} for name, runs in kinds.items()
        },
        "workers": workers,
        "threads": threads,
        "connections": CONNECTIONS,
    }


def turn(
    environment: Mapping[str, str], url: str, key: str, arguments: Any, number: int
) -> dict[str, Run]:
    """Each app once, the first one another each time."""
    names = list(TOGETHER)
    names = names[number % len(names) :] + names[: number % len(names)]
    found = {}
    for name in names:
        if name == "plugin":
            found[name] = wrk(url, HEADLINE, key, arguments)
        else:
            with serving(TOGETHER[name], environment) as (address, _):
                until_answered(address)
                found[name] = wrk(address, HEADLINE, key, arguments)
        print(f"round {number + 1}: {name:<7}{found[name].per_s:>8.0f} a second", file=sys.stderr)
    return found


def kind(
    environment: Mapping[str, str], store: EmbeddedValkey, url: str, path: str, key: str, asked: Any
) -> dict[str, Run]:
    """The plugin, and the bare app with the bytes of such an answer."""
    put_bare(store, url + path, key)
    found = {"plugin": wrk(url, path, key, asked)}
    with serving("bare", environment) as (address, _):
        until_answered(address)
        found["bare"] = wrk(address, path, key, asked)
    return found


def ratio(rounds: list[dict[str, Run]], against: str) -> float:
    return round(
        statistics.median(each["plugin"].per_s / each[against].per_s for each in rounds), 3
    )


@contextmanager
def serving(app: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """gunicorn with one of benchmarks.serving_apps; yields its address and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = "plugin.gunicorn_conf" if app == "plugin" else "benchmarks.serving_bare_conf"
    command = [
        sys.executable, "-m", "gunicorn", "-c", f"python:{conf}", "--bind", f"127.0.0.1:{port}",
        f"benchmarks.serving_apps:{app}()",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as metrics:
        process = subprocess.Popen(
            command, env={**os.environ, **environment, "PROMETHEUS_MULTIPROC_DIR": metrics}
        )
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def until_answered(url: str) -> None:
    """Until all workers stand, most likely: connections stay with who took them. Raises
    TimeoutError after half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5)
            time.sleep(SETTLE_S)
            return
        except requests.RequestException:
            time.sleep(0.01)
    raise TimeoutError(url)


def until_personal(url: str, key: str) -> float:
    """Seconds until a customer gets a personal answer. Raises TimeoutError after a minute."""
    began = time.monotonic()
    address = url + HEADLINE.replace("customer-%d", customer_name(1))
    while time.monotonic() < began + 60:
        try:
            answer = requests.get(address, headers={"X-Api-Key": key}, timeout=5).json()
        except requests.RequestException:
            answer = {}
        if answer.get("fallback") is False:
            return time.monotonic() - began
        time.sleep(0.01)
    raise TimeoutError(url)


def put_bare(store: EmbeddedValkey, address: str, key: str) -> None:
    """An answer of the plugin becomes what the bare apps read."""
    one = address.replace("customer-%d", customer_name(1)).replace("nobody-%d", "nobody-1")
    body = requests.get(one, headers={"X-Api-Key": key}, timeout=5).content
    with connect(store.url) as client:
        client.set(BARE_KEY, body)


def wrk(
    url: str,
    path: str,
    key: str,
    arguments: Any,
    *,
    rate: float = 0,
    connections: int = CONNECTIONS,
) -> Run:
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{arguments.seconds}s", "-s",
        str(_HERE / "serving.lua"), url, "--", path, key, str(arguments.customers), str(rate),
        str(connections),
    ]  # fmt: skip
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in shown.splitlines() if line.startswith("RESULT "))
    count, micros, p50, p99, worst, errors = map(float, line.split()[1:])
    return Run(count / micros * 1e6, p50 / 1e3, p99 / 1e3, worst / 1e3, int(errors))


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(each) for each in found.split()]


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line for line in lines if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) * 1024 / 1e6


def told(figures: Mapping[str, Any]) -> None:
    rates = figures["requests_per_s"]
    print(f"\n{'app':<10}{'requests/s':>12}{'share of it':>14}")
    for name, rate in rates.items():
        share = "" if name == "plugin" else f"{figures[f'ratio_to_{name}']:.3f}"
        print(f"{name:<10}{rate:>12}{share:>14}")
    print(f"\n{'content':<20}{'plugin/s':>10}{'bare/s':>10}{'ratio':>8}{'p50 ms':>8}{'p99 ms':>8}")
    for name, runs in figures["kinds"].items():
        run, bare = runs["plugin"], runs["bare"]
        print(
            f"{name:<20}{run['per_s']:>10.0f}{bare['per_s']:>10.0f}"
            f"{run['per_s'] / bare['per_s']:>8.2f}{run['p50_ms']:>8.1f}{run['p99_ms']:>8.1f}"
        )


if __name__ == "__main__":
    main()
