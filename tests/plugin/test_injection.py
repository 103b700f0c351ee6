"""Hostile text, from the shop's data or from a request, is text and nothing else everywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from scoring import columns as c
from scoring.importing import erase, import_events
from scoring.lake import Lake
from tests.conftest import SECRET
from tests.factories import CUTOFF, make_snapshot, tables

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
SQL = (
    "'; DROP TABLE events; --",
    "x' OR '1'='1",
    'x" OR "1"="1',
    "x') OR (1=1",
    "\\' OR 1=1 --",
    "$1",
    "%",
)


class Tags(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.fixture
def hostile(workspace_dir, publish):
    """A published snapshot whose items are named by somebody who means harm."""
    content = tables()
    items = content.items
    for column in (c.NAME, c.BRAND, c.CATEGORY, c.URL, c.IMAGE_URL):
        at = items.schema.get_field_index(column)
        old = items[column].to_pylist()
        values = [f"javascript:{MARKUP}" if "URL" in column.upper() else MARKUP + v for v in old]
        items = items.set_column(at, column, pa.array(values))
    brands = pa.table({c.BRAND: [MARKUP + each for each in content.brands[c.BRAND].to_pylist()]})
    categories = content.categories[c.CATEGORY].to_pylist()
    categories = pa.table({c.CATEGORY: [MARKUP + each for each in categories]})
    content = replace(content, items=items, brands=brands, categories=categories)
    publish(make_snapshot(workspace_dir, content=content))


def test_markup_in_the_shops_data_is_text_on_the_page(client, get, hostile):
    answer = get("/v1/content/for-you", customer="customer-001").get_json()
    page = client.get(answer["landing_url"].removeprefix("https://rightsend.example"))
    text = page.get_data(as_text=True)
    assert "alert(1)" in text  # it is shown, as what it is
    tags = Tags(text)
    assert "script" not in tags.found
    assert [name for name in tags.attributes if name.startswith("on")] == []
    assert 'href="javascript:' not in text
    assert 'src="javascript:' not in text


@pytest.mark.parametrize("lang", [MARKUP, "en\r\nSet-Cookie: a=b", "../../etc/passwd"])
def test_markup_in_a_request_is_nowhere_on_the_page(client, published, lang):
    page = client.get("/l/x", query_string={"lang": lang})
    assert "alert(1)" not in page.get_data(as_text=True)
    assert "Set-Cookie" not in page.headers


def test_an_answer_is_one_json_object_whatever_the_names(get, hostile):
    answer = get("/v1/content/for-you", customer=MARKUP, campaign=MARKUP)
    assert json.loads(answer.get_data())["ok"] is True
    assert answer.mimetype == "application/json"


def events(*identifiers: str) -> list[dict[str, object]]:
    return [
        {
            "event_id": f"e{number}",
            "event_type": "view",
            "identifier_kind": "external_id",
            "identifier": each,
            "item_id": each,
            "occurred_at": CUTOFF,
        }
        for number, each in enumerate(identifiers)
    ]


@pytest.mark.parametrize("text", SQL)
def test_sql_in_an_identifier_concerns_that_identifier_alone(workspace_dir, text):
    import_events(events("mina", text, "x"), workspace_dir, now=CUTOFF, secret=SECRET)
    erase(workspace_dir, {("external_id", text)}, secret=SECRET)
    left = Lake(workspace_dir / "lake").events(before=CUTOFF.replace(year=2100))
    assert sorted(left.to_pyarrow()["identifier"].to_pylist()) == ["mina", "x"]


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND"])
def test_bad_input_methods_that_nothing_needs_are_refused(client, method):
    assert client.open("/healthz", method=method).status_code == 405


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..%2f..%2fsecret", "/etc/passwd", "%00"])
@pytest.mark.parametrize(
    "path", ["/v1/runs/{}", "/v1/segments/{}", "/v1/segments/{}/members", "/docs/{}"]
)
def test_bad_input_a_path_in_an_id_opens_no_file(get, published, path, name):
    answer = get(path.format(name))
    assert answer.status_code in (404, 405, 422)
    assert "root:" not in answer.get_data(as_text=True)


def test_a_caller_cannot_say_for_an_intermediary_who_it_is(client, key, capfd):
    """Nothing reads X-Forwarded-*: no limit and no log can be turned by them."""
    forged = {"X-Forwarded-For": "zz.6.6.6", "X-Forwarded-Host": "evil.example", "X-Api-Key": key}
    answer = client.get("/v1/runs", headers=forged)
    assert "evil.example" not in str(answer.headers) + answer.get_data(as_text=True)
    told = capfd.readouterr()
    assert "zz.6.6.6" not in told.out + told.err
