"""Through the real server: what arrives well formed on the wire. The rest: test_malformed.py."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import quote

import pytest

from tests.conftest import WORKSPACE

pytest_plugins = ("tests.plugin.gunicorn_server",)


@pytest.mark.slow
def test_what_is_well_formed_is_answered(server):
    wire = server.wire
    path = f"GET /v1/content/for-you?customer={quote('customer-001')}&limit=2"
    status, content = wire.request(path)
    assert (status, len(json.loads(content)["items"])) == (200, 2)
    odd = quote("ü/ñ 한국 🛒" * 20)
    assert wire.request(f"GET /v1/content/for-you?customer={odd}&campaign={odd}")[0] == 200
    assert wire.request(f"GET /v1/customers/{quote('a/b', safe='')}")[0] == 404
    event = json.dumps({"identifier": "a", "event_type": "view", "item_id": "item-03"}).encode()
    head = f"Content-Type: application/json\r\nContent-Length: {len(event)}\r\n"
    assert wire.request("POST /v1/events", head, event)[0] == 202
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event)
    head = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert wire.request("POST /v1/events", head, chunked)[0] == 202
    deadline = time.monotonic() + 10
    while (counted := _content_calls(wire)) != 2:  # of both workers, within half a second
        assert time.monotonic() < deadline, counted
        time.sleep(0.1)


def _content_calls(wire) -> int:
    content = wire.request("GET /metrics")[1]
    assert WORKSPACE.encode() in content
    assert b"rightsend_web_connections" in content
    counted = re.search(rb'content_seconds_count\{kind="for-you"\} (\d+)', content)
    return int(counted[1]) if counted else 0
