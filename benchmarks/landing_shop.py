"""A small shop with names and pictures that look like a shop's, in English and in Korean, and the
plugin in front of it: what benchmarks.landing opens in a browser.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import numpy as np
import pyarrow as pa
from werkzeug.serving import WSGIRequestHandler, make_server

from plugin.app import create_app
from plugin.landing.token import Landing, Links
from rightsend.valkey import EmbeddedValkey
from scoring import columns as c
from scoring import snapshot
from scoring.reasons.reason import MOST_REASONS, PARAMETERS, Reason, encode
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.snapshot_schema import SCHEMAS, SnapshotTables
from scoring.store.client import connect
from scoring.store.keys import customer_hash
from scoring.store.publish import Publisher
from settings.workspace import LandingSettings, Settings, WebSettings, WorkspaceSettings

CUTOFF = datetime(2026, 3, 2, tzinfo=UTC)
CUSTOMER = "anna"
WHY = ("due", "bought", "brand", "similar_customers", "interest")  # of the first items
SECRET = b"a secret for benchmarks, of no use anywhere"
PICTURE_BYTES = 25_000  # as a photo of a product on a phone has
EMPTY = "empty"  # the workspace that never had a night
SHELVES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "en": (
        ("Drinks > Coffee", ("Dark roast coffee beans", "Cold brew, 1 l", "Espresso capsules, 30")),
        ("Drinks > Tea", ("Jasmine green tea", "Breakfast tea, 80 bags", "Rooibos with vanilla")),
        ("Bakery", ("Sourdough loaf", "Butter croissants, 4", "Seeded rye bread")),
        ("Dairy", ("Greek yogurt with strawberries", "Aged cheddar", "Oat milk, barista")),
        ("Fruit & vegetables", ("Hass avocados, 3", "Tomatoes on the vine", "Baby spinach")),
        ("Pantry", ("Extra virgin olive oil", "Spaghetti no. 5", "Wildflower honey")),
        ("Household", ("Washing-up liquid, lemon", "Kitchen towels, 6", "Beeswax candles")),
        ("Body care", ("Shampoo with argan oil", "Hand cream", "Bamboo toothbrushes, 4")),
    ),
    "ko": (
        ("음료 > 커피", ("다크 로스트 원두 500g", "콜드브루 커피 1L", "에스프레소 캡슐 30개입")),
        ("음료 > 차", ("제주 유기농 녹차", "얼그레이 홍차 80티백", "바닐라 루이보스")),
        ("베이커리", ("천연발효 사워도우", "버터 크루아상 4개입", "통곡물 호밀빵")),
        ("유제품", ("딸기 그릭요거트", "숙성 체다 치즈", "바리스타 귀리 우유")),
        ("과일·채소", ("아보카도 3개입", "송이 토마토", "어린잎 시금치")),
        ("식료품", ("엑스트라버진 올리브유", "스파게티 면 5호", "야생화 꿀")),
        ("생활용품", ("레몬 주방세제", "키친타월 6롤", "밀랍 향초")),
        ("바디케어", ("아르간 오일 샴푸", "핸드크림", "대나무 칫솔 4개입")),
    ),
}
BRANDS = {
    "en": ("Millstone", "Northfield", "Kind & Co", "Halden", "Orchard Lane", "Blue Door"),
    "ko": ("아침마루", "초록들판", "달곰", "한결", "과수원길", "푸른문"),
}
_COLORS = ("#f4c7a1", "#b9d8c2", "#f6e3b4", "#c9d6ee", "#d5e8b0", "#f1d0d6", "#cfe5ea", "#e0d3ec")


class Shop(NamedTuple):
    """``link(language, personal=…)``: the address of a page; language ``empty`` has no items."""

    url: str

    def link(self, language: str, *, personal: bool = True, spoken: str | None = None) -> str:
        """A customer's page, or that for nobody in particular, in the shop's language or in
        ``spoken``."""
        known = personal and language != EMPTY
        customer = customer_hash(SECRET, language, CUSTOMER) if known else b""
        expires_at = int(CUTOFF.timestamp()) + 30 * 86_400
        token = Links(SECRET).write(Landing(language, "spring", customer, expires_at))
        return f"{self.url}/l/{token}?lang={spoken or language}"


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """The shop, published and served on a free port until the end of the block."""
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    valkey.wait_ready()
    try:
        with _serving(_pictures) as pictures:
            for language in SHELVES:
                _publish(folder, valkey.url, language, pictures)
            with _serving(create_app(_settings(folder), redis_url=valkey.url)) as url:
                yield Shop(url)
    finally:
        valkey.stop()


def _settings(folder: Path) -> Settings:
    names = {"en": "Corner Market", "ko": "모퉁이 마켓", EMPTY: "Corner Market"}
    accents = {"en": "#0f766e", "ko": "#d5380b", EMPTY: "#0f766e"}
    workspaces = {
        name: WorkspaceSettings(
            workspace=name,
            file=folder / f"{name}.yaml",
            sources=(),
            as_of=CUTOFF,
            locale="ko" if name == "ko" else "en",
            currency="KRW" if name == "ko" else "USD",
            landing=LandingSettings(
                shop_name=shop, shop_url="https://shop.example/", accent_color=accents[name]
            ),
        )
        for name, shop in names.items()
    }
    return Settings(
        file=folder / "rightsend.yaml",
        state_dir=folder,
        workspaces=workspaces,
        secret=SECRET.decode(),
        web=WebSettings(public_url="http://127.0.0.1"),
        log_level="error",
    )


def _publish(folder: Path, store_url: str, language: str, pictures: str) -> None:
    home = folder / "workspaces" / language
    items = _items(language, pictures)
    tables = SnapshotTables(
        items=items,
        brands=pa.table({c.BRAND: BRANDS[language]}),
        categories=pa.table({c.CATEGORY: [category for category, _ in SHELVES[language]]}),
        scores=_scores(len(items), len(BRANDS[language]), len(SHELVES[language])),
        identifiers=SCHEMAS["identifiers"].empty_table(),
        related=SCHEMAS["related"].empty_table(),
        popular=pa.table({c.ITEM_INDEX: range(len(items)), "score": _falling(len(items))}),
    )
    target = home / "snapshots" / CUTOFF.strftime("%Y%m%dT%H%M%SZ")
    meta = SnapshotMeta(target.name, language, CUTOFF, CUTOFF, horizon_days=7)
    snapshot.write(target, meta, tables)
    with connect(store_url) as store:
        publisher = Publisher(store, language, SECRET, home)
        publisher.publish(Snapshot.open(target), ttl_s=3600, now=CUTOFF)


def _scores(items: int, brands: int, categories: int) -> pa.Table:
    """One customer, who likes every third item best."""
    liked = [number for start in (1, 0, 2) for number in range(start, items, 3)]
    told = [encode([Reason(code, (3,) * len(PARAMETERS[code]))]) for code in WHY]
    row = {
        c.CUSTOMER_ID: CUSTOMER,
        c.ITEM_INDEX: liked,
        c.ITEM_PROBABILITY: _falling(items),
        c.BRAND_INDEX: list(range(brands)),
        c.BRAND_PROBABILITY: _falling(brands),
        c.CATEGORY_INDEX: list(range(categories)),
        c.CATEGORY_PROBABILITY: _falling(categories),
        c.PURCHASE_PROBABILITY: 0.4,
        c.EXPECTED_PURCHASES: 2.0,
        c.ITEM_REASONS: [number for first in told for number in (*first, 0, 0, 0)[:MOST_REASONS]],
    }
    schema = pa.schema([SCHEMAS["scores"].field(name) for name in row])
    return pa.Table.from_pylist([row], schema=schema)


def _falling(count: int) -> list[float]:
    return [round(0.5 / (place + 1) ** 0.5, 4) for place in range(count)]


def _items(language: str, pictures: str) -> pa.Table:
    random = np.random.default_rng(7)
    rows = [(category, name) for category, names in SHELVES[language] for name in names]
    brands = random.choice(BRANDS[language], len(rows))
    steps = random.integers(3, 30, len(rows))
    prices = steps * 1000.0 - 100 if language == "ko" else steps + 0.49
    return pa.table({
        c.ITEM_ID: [str(number) for number in range(len(rows))],
        c.NAME: [name for _, name in rows],
        c.BRAND: [str(brand) for brand in brands],
        c.CATEGORY: [category for category, _ in rows],
        c.PRICE: prices,
        c.MARGIN: prices * 0.3,
        c.URL: [f"https://shop.example/p/{number}" for number in range(len(rows))],
        # one in nine has no picture
        c.IMAGE_URL: [None if n % 9 == 4 else f"{pictures}/?n={n}" for n in range(len(rows))],
        c.SELLABLE: [True] * len(rows),
    })  # fmt: skip


def _pictures(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A drawing of a packed product, as heavy as a photo."""
    number = int(parse_qs(environ["QUERY_STRING"]).get("n", ["0"])[0])
    shelf, row = divmod(number, 3)
    ground = _COLORS[shelf % len(_COLORS)]
    width, height = ((190, 300), (230, 230), (130, 330))[row]
    left, top = 300 - width // 2, 320 - height // 2
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600">'
        f'<rect width="600" height="600" fill="{ground}"/>'
        '<ellipse cx="300" cy="492" rx="190" ry="22" fill="#000" opacity=".1"/>'
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="26" fill="#fffdf8"/>'
        f'<rect x="{left}" y="{top + height // 3}" width="{width}" height="{height // 3}" '
        f'fill="#1f2a37" opacity=".82"/><circle cx="300" cy="{top + height // 2}" r="34" '
        f'fill="{ground}"/></svg>'
    )
    body = f"{drawing}<!--{'.' * (PICTURE_BYTES - len(drawing) - 7)}-->".encode()
    start_response("200 OK", [("Content-Type", "image/svg+xml")])
    return [body]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
