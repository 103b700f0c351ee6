"""What content calls get while something breaks and heals: 10,000 calls for each fault.

    python -m benchmarks.faults [--calls N] [--only FAULT …]

The plugin runs under gunicorn with its own settings, over a made-up shop in an embedded Valkey,
with a proxy between the two that can be slow, cut or mute. Clients call as a messaging tool does:
kept connections, one call at a time each. The fault begins after a fifth of the calls and ends
after three fifths. Every answer is parsed: status 200, a JSON object with all that a template
reads, the items asked for, and within the second.

A row a fault: answers that were ``wrong`` (must be 0), connections ``cut`` in the middle (only when
a web worker is killed: its calls have nobody left to answer them; the client calls again),
fallbacks, p99 and the slowest in ms, and how long after the fault's end the first personal answer
came. The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.doubles.clock import Clock
from benchmarks.doubles.store_proxy import Proxy
from benchmarks.serving import HEADLINE, children, published, serving, until_personal
from benchmarks.serving_apps import SECRET
from benchmarks.shop_at_scale import WORKSPACE, Size, customer_name
from plugin.auth import Keys
from rightsend.valkey import EmbeddedValkey
from scoring.snapshot import Snapshot
from scoring.store.client import connect
from scoring.store.keys import BUCKETS
from scoring.store.keys import Keys as StoreKeys
from scoring.store.publish import Publisher

LIMIT = 10
CLIENTS, FLOOD = 16, 1000
MEMBERS = {"ok", "fallback", "reason", "send", "items", "decision_id", "landing_url", "snapshot"}
SLOWEST_S = 1.0


class Stage(NamedTuple):
    """Where faults happen: the store, the proxy before it, gunicorn's process, the state folder,
    the web processes' clock and address, a key."""

    store: EmbeddedValkey
    proxy: Proxy
    gunicorn: int
    state: Path
    snapshot: Snapshot
    clock: Clock | None
    url: str
    key: str


@dataclass
class Tally:
    """What the clients saw. Times in seconds."""

    times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    cut: int = 0
    fallbacks: int = 0
    healed_at: float | None = None
    personal_after_s: float | None = None


Fault = Callable[[Stage], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def dead(stage: Stage) -> Iterator[None]:
    """The store's process is killed, and started again with what is on its disk."""
    stage.store.kill()
    yield
    stage.store.start()
    stage.store.wait_ready()


@contextlib.contextmanager
def hung(stage: Stage) -> Iterator[None]:
    """The store's process is stopped: connections stay, nothing is answered."""
    os.kill(stage.store.pid, signal.SIGSTOP)
    yield
    os.kill(stage.store.pid, signal.SIGCONT)


@contextlib.contextmanager
def slow(stage: Stage) -> Iterator[None]:
    """Each answer of the store takes 80 ms longer."""
    stage.proxy.delay_s = 0.08
    yield
    stage.proxy.delay_s = 0.0


@contextlib.contextmanager
def full(stage: Stage) -> Iterator[None]:
    """The store takes no more writes."""
    with connect(stage.store.url) as client:
        client.config_set("maxmemory", "1mb")
        yield
        client.config_set("maxmemory", "0")


@contextlib.contextmanager
def partitioned(stage: Stage) -> Iterator[None]:
    """The network swallows everything between the web processes and the store."""
    stage.proxy.mute = True
    yield
    stage.proxy.mute = False
    stage.proxy.cut()


@contextlib.contextmanager
def failing_over(stage: Stage) -> Iterator[None]:
    """Connections are cut and refused for a while, as when another server takes over."""
    stage.proxy.refuse = True
    stage.proxy.cut()
    yield
    stage.proxy.refuse = False


@contextlib.contextmanager
def rubbish(stage: Stage) -> Iterator[None]:
    """Every customer's record is rubbish, as are the pointer's bytes for a while."""
    keys = StoreKeys(WORKSPACE)
    with connect(stage.store.url) as client:
        pointer: Any = client.get(keys.pointer)
        generation = json.loads(pointer)["generation"]
        pipe = client.pipeline(transaction=False)
        names = [keys.customers(generation, number) for number in range(0, BUCKETS, 2)]
        for name in names:
            pipe.rename(name, f"{name}:kept")
            pipe.set(name, b"rubbish")
        pipe.execute(raise_on_error=False)
        client.set(keys.pointer, b"\x00rubbish")
        yield
        client.set(keys.pointer, pointer)
        for name in names:
            pipe.delete(name)
            pipe.rename(f"{name}:kept", name)
        pipe.execute(raise_on_error=False)


@contextlib.contextmanager
def half_snapshot(stage: Stage) -> Iterator[None]:
    """The pointer names a generation of which only a part is there."""
    keys = StoreKeys(WORKSPACE)
    with connect(stage.store.url) as client:
        pointer: Any = client.get(keys.pointer)
        named = json.loads(pointer)
        meta: Any = client.get(keys.meta(named["generation"]))
        client.set(keys.meta("half"), meta)
        client.set(keys.pointer, json.dumps(named | {"generation": "half"}))
        yield
        client.set(keys.pointer, pointer)
        client.delete(keys.meta("half"))


@contextlib.contextmanager
def new_snapshot(stage: Stage) -> Iterator[None]:
    """Another snapshot is published in the middle of the campaign."""
    folder = stage.state / "workspaces" / WORKSPACE
    with connect(stage.store.url) as client:
        Publisher(client, WORKSPACE, SECRET.encode(), folder).publish(
            stage.snapshot, ttl_s=86_400, now=stage.snapshot.meta.cutoff
        )
    yield


@contextlib.contextmanager
def worker_killed(stage: Stage) -> Iterator[None]:
    """A web worker is killed; gunicorn starts another."""
    os.kill(children(stage.gunicorn)[0], signal.SIGKILL)
    yield


@contextlib.contextmanager
def deploy(stage: Stage) -> Iterator[None]:
    """gunicorn replaces all workers (SIGHUP)."""
    os.kill(stage.gunicorn, signal.SIGHUP)
    yield


@contextlib.contextmanager
def no_disk(stage: Stage) -> Iterator[None]:
    """What the web processes share on disk is gone and cannot be written, while all workers are
    replaced and a snapshot comes."""
    shared = stage.state / "workspaces" / WORKSPACE / "published"
    shutil.rmtree(shared)
    shared.write_bytes(b"")  # no folder can be made there
    with new_snapshot(stage), deploy(stage):
        yield
    shared.unlink()


@contextlib.contextmanager
def clock_jump(stage: Stage) -> Iterator[None]:
    """The web processes' wall clock is an hour ahead, then a day behind, while workers start."""
    clock = stage.clock
    assert clock is not None
    clock.set(3600)
    time.sleep(0.3)
    clock.set(-86_400)
    with deploy(stage):
        yield
    clock.set(0)


@contextlib.contextmanager
def flood(stage: Stage) -> Iterator[None]:
    """wrk asks as fast as it can over many connections more, never waiting between two calls."""
    command = [
        "wrk", "-t1", f"-c{FLOOD}", "-d60s", "-s", str(Path(__file__).parent / "serving.lua"),
        stage.url, "--", HEADLINE, stage.key, "20000", "0", str(FLOOD),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield
    process.kill()
    process.wait()


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        dead, hung, slow, full, partitioned, failing_over, rubbish, half_snapshot, new_snapshot,
        worker_killed, deploy, no_disk, clock_jump, flood,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=10_000, help="for each fault")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--only", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    arguments = parser.parse_args()
    if "flood" in arguments.only and shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk, or name the other faults with --only")
    rows = {}
    shown = (
        f"{'fault':<16}{'calls':>8}{'wrong':>7}{'cut':>6}{'fallback':>10}{'p99 ms':>9}{'worst':>9}"
    )
    print(f"{shown}{'personal after s':>18}")
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as scratch:
            tally = measured(Path(scratch), name, arguments)
        times = sorted(tally.times)
        row = {
            "calls": len(times),
            "wrong": len(tally.wrong),
            "cut": tally.cut,
            "fallbacks": tally.fallbacks,
            "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
            "worst_ms": round(times[-1] * 1000, 1),
            "personal_after_s": round(tally.personal_after_s or 0.0, 2),
        }
        rows[name] = row
        print(
            f"{name:<16}{row['calls']:>8}{row['wrong']:>7}{row['cut']:>6}{row['fallbacks']:>10}"
            f"{row['p99_ms']:>9}{row['worst_ms']:>9}{row['personal_after_s']:>18}",
            flush=True,
        )
        for problem in sorted(set(tally.wrong))[:5]:
            print(f"  {problem}", file=sys.stderr)
    print(json.dumps({"faults": rows, "wrong": sum(row["wrong"] for row in rows.values())}))


def measured(state: Path, name: str, arguments: Any) -> Tally:
    size = Size(arguments.customers, 5_000)
    with published(state, size) as store, Proxy(store.socket, state / "proxy.sock") as proxy:
        _, key = Keys(state / "workspaces" / WORKSPACE).create("content")
        clock = Clock(state) if name == "clock_jump" else None  # it needs a C compiler
        # in a flood the proxy, a thread beside those that call, would be what is slow
        address = store.url if name == "flood" else f"unix://{state}/proxy.sock"
        environment = {
            "SERVING_STATE": str(state),
            "SERVING_STORE": address,
            **(clock.environment if clock else {}),
        }
        with serving("plugin", environment) as (url, process):
            until_personal(url, key)
            snapshot = Snapshot.open(next((state / "shop" / "snapshots").iterdir()), verify=False)
            stage = Stage(store, proxy, process.pid, state, snapshot, clock, url, key)
            return run(stage, url, key, name, arguments)


def run(stage: Stage, url: str, key: str, name: str, arguments: Any) -> Tally:
    tally, counter = Tally(), itertools.count()
    threads = [
        threading.Thread(target=client, args=(url, key, counter, tally, arguments), daemon=True)
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    wait_for(tally, arguments.calls // 5)
    with FAULTS[name](stage):
        wait_for(tally, arguments.calls * 3 // 5)
    tally.healed_at = time.monotonic()
    for thread in threads:
        thread.join()
    return tally


def wait_for(tally: Tally, calls: int) -> None:
    while len(tally.times) < calls:
        time.sleep(0.005)


def client(url: str, key: str, counter: Iterator[int], tally: Tally, arguments: Any) -> None:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=5)
    while (number := next(counter)) < arguments.calls:
        customer = customer_name(number * 7919 % arguments.customers)
        path = f"/v1/content/for-you?customer={customer}&campaign=spring&limit={LIMIT}"
        answered = False
        while not answered:
            started = time.monotonic()
            try:
                connection.request("GET", path, headers={"X-Api-Key": key})
                response = connection.getresponse()
                body = response.read()
                answered = True
            except (OSError, http.client.HTTPException):
                connection.close()
                tally.cut += 1
        judge(tally, response.status, body, time.monotonic() - started)
    connection.close()


def judge(tally: Tally, status: int, body: bytes, seconds: float) -> None:
    tally.times.append(seconds)
    if seconds > SLOWEST_S:
        tally.wrong.append("took longer than a second")
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status != 200 or not isinstance(answer, dict) or not answer.keys() >= MEMBERS:
        tally.wrong.append(f"status {status}: {body[:80]!r}")
        return
    if answer["ok"] is not True or len(answer["items"]) != LIMIT:
        tally.wrong.append(f"{len(answer['items'])} items, reason {answer['reason']}")
    if answer["fallback"]:
        tally.fallbacks += 1
    elif tally.healed_at is not None and tally.personal_after_s is None:
        tally.personal_after_s = time.monotonic() - tally.healed_at


if __name__ == "__main__":
    main()
