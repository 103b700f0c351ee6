"""A person with unmistakable names is planted in every place, erased, and searched for.

Files are searched in whatever they are packed in, the store key by key; so are the logs. What may
stay is what says that an erasure was done: a keyed hash of each identifier in erased.json, and one
in the audit trail, which is another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from connectors.sandbox.app import CLOSE
from connectors.sandbox.app import create_app as create_sandbox
from connectors.sandbox.client import Sandbox
from plugin.app import create_app
from plugin.auth import SCOPES, Keys
from plugin.landing import robots
from rightsend import draining, jobs, nights, publishing, segments, triggers
from rightsend.context import Context, ports_file
from scoring.store.keys import customer_hash
from tests import nightly_shop as shop
from tests import searching
from tests.connectors.servers import serving
from tests.plugin.landing.browsers import CHROME

pytestmark = pytest.mark.slow

PERSON = "zz-mina-kim-0905"
MAIL = "zz.mina.kim@unmistakable.example"  # in addresses that nobody should call
HASHED = "zz0d7f6a3c2e51b8"  # of an e-mail address
CARD = "zzcard7746"
DEVICE = "zzphone9931"
MORE = """\
send: {max_sends: 9}
connections:
  - name: sandbox
    type: sandbox
    attributes:
      - {name: top_items, score: top_items, length: 3}
      - {name: purchase_probability, score: purchase_probability, round_to: 0.01}
    identify_aliases: {alias: loyalty_card}
    erase_profiles: true
"""
PLACES = (
    "lake", "snapshots", "quarantine", "segments", "delivery", "sandbox", "valkey",
    "rs:{shop}:events", "rs:{shop}:decisions", ":r:", ":s:", ":t:", ":c:", ":a:",
)  # fmt: skip
WANTED = {
    "name": "Everybody",
    "target": {"categories": ["tea"]},
    "size": {"share": 1.0},
    "goal": "purchase",
}


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    """The shop's own files: c05 is our person, with an e-mail address, a card and a phone; one row
    about them fits nowhere."""
    path = shop.write(tmp_path / "shop", more=MORE)
    for name in ("events.csv", "people.csv"):
        file = path.parent / name
        file.write_text(file.read_text().replace("c05,", f"{PERSON},"))
    people = (path.parent / "people.csv").read_text().splitlines()
    rows = [f"{people[0]},mail,card"]
    for row in people[1:]:
        rows.append(f"{row},{HASHED},{CARD}" if row.startswith(PERSON) else f"{row},,")
    (path.parent / "people.csv").write_text("\n".join(rows) + "\n")
    more = "attributes: attributes, identifiers: {object: {email_hash: mail, alias: card}}"
    path.write_text(path.read_text().replace("attributes: attributes", more))
    bad = ("bad1", "yesterday", "external_id", PERSON, "purchase", "tea-1", 1, 3)
    shop.add_events(path.parent, [bad], name="events-bad.csv")
    return path


@pytest.fixture
def context(tmp_path: Path, shop_file: Path, monkeypatch: pytest.MonkeyPatch):
    """The installation with its own embedded store, and its sandbox served."""
    shop.train_quickly(monkeypatch.setattr)
    state = tmp_path / "state"
    found = Context.load(shop_file, state)
    app = create_sandbox(state / "sandbox", api_keys=[found.sandbox_key])
    with serving(app) as url:
        ports_file(state).parent.mkdir(parents=True, exist_ok=True)
        ports_file(state).write_text(json.dumps({"sandbox": int(url.rsplit(":", 1)[1])}))
        found = Context.load(shop_file, state)
        with found.store(), jobs.installed(found):
            yield found
    app.extensions[CLOSE]()


@pytest.fixture
def client(context, monkeypatch):
    monkeypatch.setattr(robots, "TOO_SOON_MS", 0)
    app = create_app(context.settings, redis_url=context.redis_url)
    key = Keys(context.settings.workspace_dir("shop")).create(SCOPES)[1]

    def call(method: str, path: str, **more: Any) -> Any:
        """What is noted on the way is in the store when it returns."""
        headers = {"X-Api-Key": key, **CHROME}
        answer = app.test_client().open(path, method=method, headers=headers, **more)
        found = app.extensions["rightsend"]
        found.tracker.flush(at_once=True)
        found.workspaces["shop"].decisions._logs.tick(0.0)
        return answer

    return call


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"live-{number}",
        "event_type": "view",
        "item_id": "tea-1",
        "occurred_at": shop.AS_OF.isoformat(),
        **fields,
    }


def live(client: Any, start: int) -> None:
    """The person is seen in the app: known, by mail and by phone; answers are asked for them."""
    seen = [
        {"identifier": PERSON, "device_id": DEVICE},
        {"identifier_kind": "email_hash", "identifier": HASHED},
        {"identifier_kind": "device_id", "identifier": DEVICE},
        {"identifier": PERSON, "event_type": "message_sent", "channel": "email"},
        {"identifier": PERSON, "event_type": "cart", "quantity": 1, "unit_price": 3.0},
    ]
    events = [event(start + number, **each) for number, each in enumerate(seen)]
    told = client("POST", "/v1/events", json={"events": events}).get_json()
    assert told["accepted"] >= 4, told
    for customer in (PERSON, f"device_id:{DEVICE}", f"email_hash:{HASHED}"):
        answer = client("GET", "/v1/content/for-you", query_string={"customer": customer})
        link = answer.get_json()["landing_url"]
        assert client("GET", "/l/" + link.rpartition("/l/")[2]).status_code == 200
        client("GET", f"/v1/customers/{customer}")
    client("GET", f"/v1/nothing/{PERSON}")
    client("GET", "/v1/content/for-you", query_string={"customer": PERSON, "limit": "x"})
    client("POST", f"/v1/events?who={MAIL}", data=PERSON)


def plant(context: Context, client: Any) -> None:
    """Everywhere: lake, quarantine, snapshots, runs, store, streams, segments, books, tool."""
    workspace = context.workspace()
    nights.run(context, workspace, quiet, run_id="first")
    live(client, 0)
    jobs.drain_events("shop")
    draining.drain_decisions(context, workspace, claim_after_s=0)
    nights.run(context, workspace, quiet, run_id="second")
    job, _ = segments.jobs_of(context, workspace).create(WANTED, now=context.now(workspace))
    jobs.run_segment("shop", job["id"])
    jobs.push_segment("shop", job["id"], "sandbox")
    tool = Sandbox(context.settings.sandbox_url, context.sandbox_key)
    tool.define_campaign("spring", template="Hello")
    triggers.trigger(context, workspace, job["id"], triggers.Send("sandbox", "spring"), quiet)
    live(client, 100)  # and these are still on their way to the lake


def erase(context: Context, client: Any) -> None:
    """As an operator would: one call; the worker does the rest."""
    assert client("DELETE", f"/v1/customers/{PERSON}").status_code == 202
    server = context.client()
    queue = Queue("interactive", connection=server, serializer=JSONSerializer)
    SimpleWorker([queue], connection=server, serializer=JSONSerializer).work(burst=True)
    assert queue.failed_job_registry.get_job_ids() == []


def everything_of(context: Context) -> dict[bytes, str]:
    names = (PERSON, f"email_hash:{HASHED}", f"alias:{CARD}", f"device_id:{DEVICE}")
    hashes = [customer_hash(context.secret, "shop", name) for name in names]
    return searching.needles_of("person", (PERSON, MAIL, HASHED, CARD, DEVICE), hashes)


def found(context: Context) -> list[str]:
    needles = everything_of(context)
    return [
        *searching.in_store(context.client(), needles),
        *searching.in_files(context.settings.state_dir, needles),
    ]


def test_an_erased_person_is_nowhere(context, client, capfd) -> None:
    plant(context, client)
    before = found(context)
    for place in PLACES:
        assert any(place in hit for hit in before), f"nobody was planted in {place}"
    logged = capfd.readouterr()
    erase(context, client)
    logged_then = capfd.readouterr()
    left = found(context)
    assert not left, "\n".join(left)
    for text in (logged.out, logged.err, logged_then.out, logged_then.err):
        assert [name for name in (PERSON, MAIL, HASHED, CARD, DEVICE) if name in text] == []
    assert publishing.active_snapshot(context, context.workspace()).scores().num_rows > 0
