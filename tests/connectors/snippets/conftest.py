"""A running plugin over a small snapshot whose names are hostile, and each tool's snippet."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pytest
import requests

from connectors.sandbox.feeds import Feed
from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.rendering import Message, Renderer
from connectors.snippets import KEY_HEADER, NAME, TOP_ITEMS, MakeSnippet, Request, Snippet
from plugin.app import create_app
from plugin.auth import CONTENT, Keys
from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.recent import RecentEvents
from settings.workspace import SendSettings, Settings, WebSettings, WorkspaceSettings
from tests.conftest import SECRET, WORKSPACE
from tests.connectors.doubles import FakeTime
from tests.connectors.servers import serving
from tests.factories import CUTOFF, make_snapshot, tables

KNOWN = "customer-001"
ODD = "a b/c'\"&<고객>+?#%é"  # everything that a URL or HTML could trip over
UNKNOWN = "nobody-knows-me"
HOSTILE = '<img src=x onerror="alert(1)"> & {{ this }} [[ that ]] \'{% endif %}'
NOWHERE = "http://127.0.0.1:9"  # nothing listens there
TOOLS = ("braze", "iterable", "klaviyo", "customerio", "onesignal", "moengage", "clevertap")


def make(tool: str) -> MakeSnippet:
    """The tool's snippet function."""
    if tool == "clevertap":
        return importlib.import_module("connectors.generic.snippet").clevertap
    return importlib.import_module(f"connectors.{tool}.snippet").snippet


@dataclass
class Plugin:
    """``open_url`` needs no key: a web server of one's own that adds it, as Klaviyo needs."""

    url: str
    open_url: str
    key: str = field(repr=False)
    asked: list[str] = field(default_factory=list)  # paths with their query

    def base_url(self, tool: str) -> str:
        return self.open_url if tool == "klaviyo" else self.url

    def content(self, customer: str, route: str = "for-you", **query: Any) -> dict[str, Any]:
        answer = requests.get(
            f"{self.url}/v1/content/{route}",
            params={"customer": customer, "limit": 3, **query},
            headers={KEY_HEADER: self.key},
            timeout=10,
        )
        self.asked.clear()
        return answer.json()


@pytest.fixture
def snapshot(workspace_dir: Path) -> Snapshot:
    """Its second customer is ODD; every item is called something hostile and its own id."""
    small = tables(customers=4, items=12)
    customers = ["customer-000", KNOWN, ODD, "customer-003"]
    today = int(CUTOFF.timestamp()) // 86_400
    items = small.items
    for column, values in (
        (c.REPEAT_DAYS, [int(n == 2) for n in range(12)]),
        (c.BACK_SINCE, [today if n == 4 else 0 for n in range(12)]),
        (c.STOCK, [2 if n == 6 else None for n in range(12)]),
    ):
        items = items.append_column(column, pa.array(values))
    names = [f"{item_id} {HOSTILE}" for item_id in small.items[c.ITEM_ID].to_pylist()]
    return make_snapshot(
        workspace_dir,
        content=replace(
            small,
            scores=_with(small.scores, c.CUSTOMER_ID, customers),
            items=_with(items, c.NAME, names),
            arrivals=pa.table({c.ITEM_INDEX: [9, 8], "score": [0.2, 0.1]}),
        ),
    )


@pytest.fixture
def plugin(
    tmp_path: Path, workspace_dir: Path, redis_url: str, publish: Any, snapshot: Snapshot
) -> Iterator[Plugin]:
    publish(snapshot)
    settings = Settings(
        file=tmp_path / "rightsend.yaml",
        state_dir=workspace_dir.parents[1],
        workspaces={
            WORKSPACE: WorkspaceSettings(
                WORKSPACE,
                tmp_path / "shop.yaml",
                (),
                as_of=CUTOFF,
                send=SendSettings(quiet_hours=None),  # it is midnight
            )
        },
        secret=SECRET.decode(),
        web=WebSettings(public_url="https://rightsend.example"),
    )
    key = Keys(settings.workspace_dir(WORKSPACE)).create(CONTENT)[1]
    found = Plugin("", "", key)
    app = create_app(settings, redis_url=redis_url)

    def noted(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        found.asked.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        return app(environ, start)

    def keyed(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        return noted({**environ, "HTTP_X_API_KEY": key}, start)

    with serving(noted) as found.url, serving(keyed) as found.open_url:
        yield found


@pytest.fixture
def busy(plugin: Plugin, redis_client: Any) -> Plugin:
    """The plugin, and KNOWN has looked around, carted and bought since the night."""
    day = timedelta(days=1)
    did = [
        ("cart", "item-06", day / 24, {"unit_price": 90.0}),
        ("view", "item-04", 2 * day, {}),
        ("view", "item-07", day / 2, {"unit_price": 80.0}),
        ("purchase", "item-02", 1.2 * day, {}),
    ]
    RecentEvents(redis_client, WORKSPACE, SECRET).remember([
        {"event_id": f"{kind}-{item}", "occurred_at": CUTOFF - ago, "identifier": KNOWN,
         "identifier_kind": "external_id", "event_type": kind, "item_id": item, **more}
        for kind, item, ago, more in did
    ])  # fmt: skip
    return plugin


class Tool:
    """Renders one person's message as the tool would; no time passes between attempts."""

    def __init__(self, name: str, plugin: Plugin | None = None) -> None:
        credentials = {NAME: (KEY_HEADER, plugin.key if plugin else "no-key")}
        time = FakeTime()
        fetcher = Fetcher(monotonic=time, sleep=time.sleep, observe=self._observe)
        self.name = name
        self.base_url = plugin.base_url(name) if plugin else NOWHERE
        self.observed: list[tuple[Any, ...]] = []
        self.catalog: dict[str, dict[str, Any]] = {}
        self._renderer = Renderer(fetcher, credentials.get, self.catalog.get)

    def snippet(self, kind: str = "for-you", **wanted: Any) -> Snippet:
        return make(self.name)(Request(kind, **{"base_url": self.base_url, **wanted}))

    def message(self, made: Snippet, customer: str, **attributes: Any) -> Message:
        feed = made.feed and Feed(**asdict(made.feed), credential=NAME)
        return self._renderer.render(
            self._renderer.parse(made.template, self.name, feed),
            profile={"external_id": customer, "custom_attributes": attributes},
            campaign={"api_id": "spring 1/2", "name": "Spring"},
            properties={},
        )

    def knows(self, items: list[dict[str, Any]]) -> dict[str, list[str]]:
        """What the night's sync has written, for Klaviyo: own items and the catalog."""
        self.catalog |= {i["id"]: {"title": i["name"], "url": i["url"]} for i in items}
        return {TOP_ITEMS: [item["id"] for item in items]}

    def _observe(self, *call: Any) -> None:
        self.observed.append(call)


def asked_customers(plugin: Plugin) -> list[str]:
    """Whom the plugin was asked about."""
    queries = [path.partition("customer=")[2].partition("&")[0] for path in plugin.asked]
    return [unquote(query.replace("+", " ")) for query in queries]


def _with(table: pa.Table, name: str, values: list[str]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))
