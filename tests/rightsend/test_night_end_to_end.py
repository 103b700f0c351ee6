"""The whole night by its command, killed where it hurts, while somebody reads."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox
from rightsend import publishing
from rightsend.context import REDIS_VARIABLE, Context
from rightsend.valkey import EmbeddedValkey
from scoring.snapshot import Snapshot
from scoring.snapshot_export import export_csv
from scoring.store.client import connect
from scoring.store.errors import StoreUnavailable
from scoring.store.read import Reader
from settings.workspace import WorkspaceSettings
from tests import nightly_shop as shop
from tests.connectors.servers import serving
from tests.rightsend.killed_nights import DEATHS

KEY = "key-of-the-tool"
FIRST = shop.AS_OF
SECOND = shop.AS_OF + timedelta(days=1)
FIRST_NAME, SECOND_NAME = "20260301T000000Z", "20260302T000000Z"
CONNECTION = """\
connections:
  - name: tool
    type: sandbox
    url: "{url}"
    api_key: "{key}"
    attributes:
      - {{name: top_items, score: top_items, length: 3}}
      - {{name: purchase_probability, score: purchase_probability, round_to: 0.01}}
      - {{name: best_hour, score: best_hour}}
"""


class Nights:
    """The forking process: runs `rightsend` commands and lets them die."""

    def __init__(self, errors: Path) -> None:
        self.redis_url: str | None = None  # None: each command has the embedded store
        self._errors = errors.open("w+")
        self._read = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rightsend.killed_nights"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # threads only get in each other's way here
        )  # fmt: skip

    def run(self, *words: str | Path, death: str | None = None) -> int:
        """The exit status of `rightsend WORDS`; negative for a signal."""
        assert self._process.stdin and self._process.stdout
        self.told()
        line = json.dumps([death, self.redis_url, [str(word) for word in words]])
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def told(self) -> str:
        """What the last command wrote to stderr; once."""
        with Path(self._errors.name).open() as file:
            file.seek(self._read)
            text = file.read()
            self._read = file.tell()
        return text

    def night(self, folder: Path, moment: Any, *more: str, death: str | None = None) -> int:
        return self.run(
            "nightly", "--config", folder / "shop.yaml", "--state", folder / "state",
            "--now", f"{moment:%Y-%m-%dT%H:%M:%S}", *more, "--json", death=death,
        )  # fmt: skip

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._errors.close()


@dataclass
class Tool:
    """The messaging tool, and every attributes object that was sent to it."""

    url: str
    sandbox: Sandbox
    sent: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def nights(valkey_server: EmbeddedValkey, tmp_path_factory) -> Iterator[Nights]:
    found = Nights(tmp_path_factory.mktemp("nights") / "stderr")
    found.redis_url = valkey_server.url
    yield found
    found.close()


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    app = create_app(tmp_path / "tool", api_keys=[KEY])
    with serving(app) as url:
        sandbox = Sandbox(url, KEY)
        found = Tool(url, sandbox)
        inner = app.wsgi_app

        def noting(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            if environ["PATH_INFO"] == "/users/track":
                body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                environ["wsgi.input"] = io.BytesIO(body)
                found.sent.extend(json.loads(body)["attributes"])
            return inner(environ, start)

        app.wsgi_app = noting
        yield found
        sandbox.close()
    app.extensions[CLOSE]()


@pytest.fixture(scope="module")
def after_one_night(nights: Nights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose first night is done, but for the sync."""
    folder = tmp_path_factory.mktemp("shop")
    shop.write(folder, more=CONNECTION.format(url="http://127.0.0.1:9", key=KEY))
    assert nights.night(folder, FIRST, "--no-sync") == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed(nights: Nights, after_one_night: Path, tmp_path_factory) -> Path:
    """The same shop after its second night, by which every other second night is judged."""
    folder = tmp_path_factory.mktemp("undisturbed") / "shop"
    shutil.copytree(after_one_night, folder)
    assert nights.night(folder, SECOND, "--no-sync") == 0
    return folder


@pytest.fixture
def installed(after_one_night: Path, tmp_path: Path, tool: Tool, redis_url: str, monkeypatch):
    """A copy of the shop after one night; that night is what the empty store gets."""
    folder = tmp_path / "shop"
    shutil.copytree(after_one_night, folder)
    shop.write(folder, more=CONNECTION.format(url=tool.url, key=KEY))
    monkeypatch.setenv(REDIS_VARIABLE, redis_url)
    context, workspace = opened(folder)
    publishing.publish_what_is_missing(context, workspace, quiet)
    return folder


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


def opened(folder: Path) -> tuple[Context, WorkspaceSettings]:
    context = Context.load(folder / "shop.yaml", folder / "state")
    return context, context.workspace()


def workspace_dir(folder: Path) -> Path:
    return folder / "state" / "workspaces" / "shop"


def snapshot_of(folder: Path, name: str) -> Snapshot:
    return Snapshot.open(workspace_dir(folder) / "snapshots" / name)


def exported(folder: Path, name: str) -> list[bytes]:
    """scores.parquet and the three exports, as bytes."""
    snapshot = snapshot_of(folder, name)
    files = [(snapshot.folder / "scores.parquet").read_bytes()]
    for kind in ("items", "brands", "categories"):
        out = io.BytesIO()
        export_csv(snapshot, out, kind=kind)
        files.append(out.getvalue())
    return files


def active(folder: Path) -> str | None:
    meta = publishing.publisher_of(*opened(folder)).active()
    return meta and meta.snapshot


def reader_of(folder: Path, redis_url: str) -> Reader:
    context, _ = opened(folder)
    return Reader(connect(redis_url, send_time=True), "shop", context.secret, workspace_dir(folder))


@dataclass
class Seen:
    """What a reader got: (snapshot, customer, item ids with scores)."""

    answers: set[tuple[str, str, tuple[Any, ...]]] = field(default_factory=set)
    order: list[str] = field(default_factory=list)
    unavailable: list[str] = field(default_factory=list)


@pytest.fixture
def polled(installed: Path, redis_url: str) -> Iterator[Seen]:
    """Reads customer after customer, as fast as it goes, until the test ends."""
    reader, seen, stop = reader_of(installed, redis_url), Seen(), threading.Event()

    def poll() -> None:
        while not stop.is_set():
            for who in shop.CUSTOMERS[::7]:
                try:
                    answer = look(reader, who)
                except StoreUnavailable as problem:
                    seen.unavailable.append(str(problem))
                    continue
                seen.answers.add(answer)
                if seen.order[-1:] != [answer[0]]:
                    seen.order.append(answer[0])
            time.sleep(0.01)  # the night shares this machine

    thread = threading.Thread(target=poll)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def look(reader: Reader, who: str) -> tuple[str, str, tuple[Any, ...]]:
    reading = reader.read(who)
    assert reading.record is not None
    return reading.snapshot, who, tuple(reading.items())


@pytest.mark.slow
@pytest.mark.parametrize("death", DEATHS)
def test_a_killed_night_run_again_ends_as_if_nothing_had_been(
    death, nights, installed, undisturbed, polled, redis_url, tool
) -> None:
    assert nights.night(installed, SECOND, death=death) == -signal.SIGKILL
    state = json.loads((workspace_dir(installed) / "runs" / SECOND_NAME / "run.json").read_text())
    assert (state["state"], state["steps"][-1]["name"]) == ("running", death.split(",")[0])
    assert nights.night(installed, SECOND) == 0

    assert exported(installed, SECOND_NAME) == exported(undisturbed, SECOND_NAME)
    assert active(installed) == SECOND_NAME
    new = {look(reader_of(installed, redis_url), who) for who in shop.CUSTOMERS}
    old = {answer for answer in polled.answers if answer[0] == FIRST_NAME}
    assert polled.unavailable == []
    assert polled.answers <= old | new
    assert polled.order in ([FIRST_NAME], [FIRST_NAME, SECOND_NAME])
    assert len({who for _, who, _ in old}) == len(old)  # one answer a customer and snapshot
    told = {p["external_id"]: p["custom_attributes"] for p in tool.sandbox.profiles()}
    assert told.keys() == set(shop.CUSTOMERS)
    wanted = snapshot_of(installed, SECOND_NAME).attributes(["top_items"])
    for who, scores in wanted:
        if who in told:
            assert told[who]["top_items"] == scores["top_items"][:3]


@pytest.mark.slow
def test_a_night_killed_beside_the_embedded_store_ends_well(
    nights, after_one_night, undisturbed, tmp_path
) -> None:
    """Without `up` each command runs the store for its own duration: it dies with the night."""
    folder = tmp_path / "shop"
    shutil.copytree(after_one_night, folder)
    nights.redis_url, outside = None, nights.redis_url
    try:
        death = "publish, pointer about to move"
        assert nights.night(folder, SECOND, "--no-sync", death=death) == -signal.SIGKILL
        assert nights.night(folder, SECOND, "--no-sync") == 0, nights.told()
    finally:
        nights.redis_url = outside
    assert exported(folder, SECOND_NAME) == exported(undisturbed, SECOND_NAME)


# the gate and the way back


@pytest.mark.slow
def test_a_night_that_the_gate_refuses_ends_with_status_1_and_a_sentence(
    nights, installed, redis_url
) -> None:
    before = [look(reader_of(installed, redis_url), who) for who in shop.CUSTOMERS]
    meta = workspace_dir(installed) / "snapshots" / FIRST_NAME / "meta.json"
    document = json.loads(meta.read_text())
    meta.write_text(json.dumps({**document, "customers": 100}))  # the night before had more
    assert nights.night(installed, SECOND) == 1
    told = nights.told()
    assert f"rightsend: run {SECOND_NAME} ended as gated: only 61 customers were scored" in told
    assert active(installed) == FIRST_NAME
    assert [look(reader_of(installed, redis_url), who) for who in shop.CUSTOMERS] == before


@pytest.mark.slow
def test_going_back_brings_the_night_before_to_readers(
    nights, installed, redis_url, undisturbed
) -> None:
    reader = reader_of(installed, redis_url)
    before = [look(reader, who) for who in shop.CUSTOMERS]
    assert nights.night(installed, SECOND, "--no-sync") == 0
    after = [look(reader, who) for who in shop.CUSTOMERS]
    assert {snapshot for snapshot, _, _ in after} == {SECOND_NAME}
    assert nights.run("rollback", "--config", installed / "shop.yaml",
                      "--state", installed / "state") == 0  # fmt: skip
    assert [look(reader, who) for who in shop.CUSTOMERS] == before
    assert nights.run("rollback", SECOND_NAME, "--config", installed / "shop.yaml",
                      "--state", installed / "state") == 0  # fmt: skip
    assert [look(reader, who) for who in shop.CUSTOMERS] == after


@pytest.mark.slow
def test_bad_input_there_is_nothing_to_go_back_to(nights, installed) -> None:
    assert nights.run("rollback", "--config", installed / "shop.yaml",
                      "--state", installed / "state") == 1  # fmt: skip
    assert "there is no earlier snapshot to go back to" in nights.told()


# what the messaging tool is told


def told_by(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Attributes as the connection defines them, of all who have an external id."""
    names = ["top_items", "purchase_probability", "best_hour"]
    return {
        who: {
            "top_items": scores["top_items"][:3],
            "purchase_probability": pytest.approx(
                round(scores["purchase_probability"], 2), abs=0.0051
            ),
            "best_hour": scores["best_hour"],
        }
        for who, scores in snapshot.attributes(names)
        if who in shop.CUSTOMERS
    }


@pytest.mark.slow
def test_after_a_purchase_and_a_new_night_only_changed_attributes_go_out(
    nights, installed, tool
) -> None:
    words = ("sync", "--config", installed / "shop.yaml", "--state", installed / "state")
    assert nights.run(*words) == 0
    first = {p["external_id"]: p["custom_attributes"] for p in tool.sandbox.profiles()}
    assert first == told_by(snapshot_of(installed, FIRST_NAME))
    assert {type(each["best_hour"]) for each in first.values()} == {int}
    assert {each["best_hour"] for each in first.values()} <= set(range(8, 21))
    calls = tool.sandbox.counts()["calls_in"]
    assert nights.run(*words) == 0
    assert tool.sandbox.counts()["calls_in"] == calls  # a second sync sends nothing

    tool.sent.clear()
    bought = shop.purchase("new", FIRST - timedelta(hours=5), "c05", first["c05"]["top_items"][0])
    shop.add_events(installed, [bought])
    assert nights.night(installed, FIRST) == 0  # the same moment: the purchase is what is new

    second = {p["external_id"]: p["custom_attributes"] for p in tool.sandbox.profiles()}
    assert second == told_by(snapshot_of(installed, f"{FIRST_NAME}-2"))
    difference = {
        who: {name: value for name, value in second[who].items() if first[who][name] != value}
        for who in shop.CUSTOMERS
        if first[who] != second[who]
    }
    assert {row.pop("external_id"): row for row in tool.sent} == difference
    assert "top_items" in difference["c05"]
    assert len(difference) < len(shop.CUSTOMERS)
