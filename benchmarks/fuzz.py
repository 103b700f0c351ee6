"""Requests that schemathesis makes up from the OpenAPI document, against the real app and store.

    python -m benchmarks.fuzz [--requests 100000] [--processes 2] [--seed 1]

Half of the requests of a route keep to the document, half break it on purpose; some of both name
customers, items and segments that there are. Each answer is held against the document. What must
not be, with an example of each: a status of 500 and more, a status that the document does not name
for the route, an answer that is not as its schema says. A path that was broken until it is another
route's, or none's, may only be answered with 404 or 405. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as examples
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.shop_at_scale import WORKSPACE, Size, customer_name, item_name, write
from plugin.app import create_app
from plugin.auth import SCOPES, Keys
from plugin.segments import routes as segments
from rightsend import webhooks
from rightsend.valkey import EmbeddedValkey
from scoring.store.client import Client, connect
from scoring.store.publish import Publisher
from scoring.store.segments import SegmentJobs
from settings.workspace import ConnectionSettings, LimitSettings, Settings, WorkspaceSettings

METHODS = ("get", "post", "put", "patch", "delete")
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
KINDS = {"not_a_server_error": "5xx", "status_code_conformance": "undocumented"}
CHUNK = 100  # requests of a route in turn
SECRET = "a secret of thirty-two bytes ...."
SHOP = Size(customers=300, items=400, brands=150, categories=30)
CONNECTIONS = (ConnectionSettings("braze", "braze"), ConnectionSettings("sandbox", "sandbox"))
LEARNT = {"segment_id": ("segment_id", "segment", "id"), "job_id": ("job_id", "job")}


@dataclass
class Found:
    """What the requests to one route gave."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)  # 5xx, undocumented, violations
    shown: dict[str, str] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        self.requests += other.requests
        self.statuses += other.statuses
        self.wrong += other.wrong
        self.shown = other.shown | self.shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    share = -(-asked.requests // asked.processes)
    started = time.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        parts = list(
            pool.map(
                fuzzed, [share] * asked.processes, range(asked.seed, asked.seed + asked.processes)
            )
        )
    found: dict[str, Found] = {}
    for part in parts:
        for route, each in part.items():
            found.setdefault(route, Found()).add(each)
    show(found, time.monotonic() - started)


def show(found: dict[str, Found], seconds: float) -> None:
    print(f"{'route':52} {'requests':>8} {'2xx':>7} {'4xx':>7}  5xx undocumented violations")
    for route, each in sorted(found.items()):
        by_class = Counter(status // 100 for status in each.statuses.elements())
        print(
            f"{route:52} {each.requests:8} {by_class[2]:7} {by_class[4]:7} {each.wrong['5xx']:4} "
            f"{each.wrong['undocumented']:12} {each.wrong['violations']:10}"
        )
    for route, each in sorted(found.items()):
        for kind, example in each.shown.items():
            print(f"\n{route}: {kind}\n{example}")
    wrong = sum((each.wrong for each in found.values()), Counter())
    print(
        json.dumps(
            {
                "requests": sum(each.requests for each in found.values()),
                "routes": len(found),
                **{kind: wrong[kind] for kind in ("5xx", "undocumented", "violations")},
                "seconds": round(seconds),
            }
        )
    )


def fuzzed(requests: int, seed: int) -> dict[str, Found]:
    """At least so many requests, to all routes in turn."""
    with served() as (app, key, names):
        schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
        turns = [
            _Route(schema[path][method], key, names, random.Random(f"{seed} {method} {path}"))
            for path, item in schema.raw_schema["paths"].items()
            for method in item
            if method in METHODS
        ]
        waiting = turns[:]
        while sum(turn.found.requests for turn in turns) < requests:
            for turn in waiting:
                turn.take(CHUNK)
            waiting = [turn for turn in waiting if not turn.exhausted] or turns
        return {turn.name: turn.found for turn in turns}


class _Route:
    """One operation of the document."""

    def __init__(
        self, operation: Any, key: str, names: dict[str, list[str]], dice: random.Random
    ) -> None:
        self.name = f"{operation.method.upper()} {operation.path}"
        self.found = Found()
        self.exhausted = False
        self._operation = operation
        self._key = key
        self._names = names
        self._dice = dice

    def take(self, number: int) -> None:
        """About so many requests; fewer where there are not so many different ones."""
        before = self.found.requests
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            self._take(number // 2, mode)
        self.exhausted = self.found.requests - before < number // 4

    def _take(self, number: int, mode: GenerationMode) -> None:
        @seeded(self._dice.getrandbits(64))
        @examples(
            max_examples=number,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=self._operation.as_strategy(generation_mode=mode))
        def sent(case: Any) -> None:
            self._send(case, mode)

        try:
            sent()
        except schemathesis.errors.InvalidSchema:
            raise
        except Exception as error:
            if "Unsatisfiable" not in type(error).__name__:  # nothing to break: no parameters
                raise

    def _send(self, case: Any, mode: GenerationMode) -> None:
        self._name(case)
        response = case.call(headers={"X-Api-Key": self._key})
        self.found.requests += 1
        self.found.statuses[response.status_code] += 1
        self._learn(response)
        if mode is GenerationMode.NEGATIVE and response.status_code in (404, 405):
            return
        try:
            case.validate_response(response, checks=list(CHECKS))
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(case, failure, response.status_code)
        except Failure as failure:
            self._note(case, failure, response.status_code)

    def _name(self, case: Any) -> None:
        """Now and then something that there is, in the place of what was made up."""
        for values in (case.path_parameters, case.query):
            if not isinstance(values, dict):
                continue
            for name in values:
                known = self._names.get(name)
                if known and self._dice.random() < 0.3:
                    values[name] = self._dice.choice(known)

    def _learn(self, response: Any) -> None:
        """Ids of what the request made, for later ones."""
        if response.status_code not in (201, 202) or not isinstance(response.json(), dict):
            return
        for name, members in LEARNT.items():
            found = next(
                (response.json()[each] for each in members if each in response.json()), None
            )
            if isinstance(found, str) and len(self._names[name]) < 200:
                self._names[name].append(found)

    def _note(self, case: Any, failure: Exception, status: int) -> None:
        kind = "violations"
        title = type(failure).__name__
        if title == "ServerError":
            kind = "5xx"
        elif title == "UndefinedStatusCode":
            kind = "undocumented"
        self.found.wrong[kind] += 1
        self.found.shown.setdefault(kind, f"{status}: {failure}\n{case.as_curl_command()}"[:2000])


@contextmanager
def served() -> Iterator[tuple[Flask, str, dict[str, list[str]]]]:
    """The app over a Valkey of its own with a published shop, a key for everything, and names of
    what there is by parameter."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        server = EmbeddedValkey(folder / "valkey")
        server.start()
        try:
            server.wait_ready()
            settings = _settings(folder)
            place = settings.workspace_dir(WORKSPACE)
            snapshot = write(place, SHOP)
            with connect(server.url) as client:
                Publisher(client, WORKSPACE, SECRET.encode(), place).publish(
                    snapshot, ttl_s=86_400, now=snapshot.meta.cutoff
                )
            run = place / "runs" / "run-1"
            run.mkdir(parents=True)
            (run / "run.json").write_text(json.dumps({"run": "run-1", "state": "done"}))
            segments.PREVIEW_WAIT_S = 0  # no worker answers here
            app = create_app(settings, redis_url=server.url, translators=webhooks.translators())
            key = Keys(place).create(SCOPES)[1]
            names = _names(snapshot.folder.name)
            with connect(server.url) as client:
                names["segment_id"] += [_finished_segment(app, key, client, place)] * 50
            yield app, key, names
        finally:
            server.stop()


def _finished_segment(app: Flask, key: str, client: Client, place: Path) -> str:
    """The id of one with a member, who can be read and pushed."""
    wanted = {"name": "n", "target": {"categories": ["tea"]}, "size": {"count": 1}}
    asked = app.test_client().post("/v1/segments", json=wanted, headers={"X-Api-Key": key})
    segment_id: str = asked.get_json()["id"]
    folder = place / "segments" / segment_id
    folder.mkdir(parents=True)
    (folder / "members.csv.gz").write_bytes(gzip.compress(b"customer_id\ncustomer-0000001\n"))
    (folder / "members.ndjson.gz").write_bytes(
        gzip.compress(b'{"customer_id": "customer-0000001"}\n')
    )
    SegmentJobs(client, WORKSPACE).set_state(segment_id, "done", summary={"customers": 1})
    return segment_id


def _names(snapshot: str) -> dict[str, list[str]]:
    """What there is, by the name of a parameter."""
    customers = [customer_name(number) for number in range(SHOP.customers)]
    return {
        "customer": customers,
        "customer_id": customers,
        "item": [item_name(number) for number in range(SHOP.items)],
        "connection": [connection.name for connection in CONNECTIONS],
        "run_id": ["run-1"],
        "snapshot_id": [snapshot],
        "segment_id": [],
        "job_id": [],
    }


def _settings(folder: Path) -> Settings:
    shop = WorkspaceSettings(
        workspace=WORKSPACE, file=folder / "shop.yaml", sources=(), connections=CONNECTIONS
    )
    return Settings(
        file=folder / "rightsend.yaml",
        state_dir=folder / "state",
        workspaces={WORKSPACE: shop},
        secret=SECRET,
        log_level="critical",
        limits=LimitSettings(None, None, administration_per_minute=10**9),
    )


if __name__ == "__main__":
    main()
