"""A sync that is killed with SIGKILL, in a process of its own, at random moments."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time as clock
from pathlib import Path

from flask import Flask

from connectors import delivery
from connectors.sandbox.client import Sandbox
from settings.workspace import AttributeSettings, ConnectionSettings
from tests.connectors.doubles import KEY

CUSTOMERS = 1_500
PROGRAM = f"""
import sys
from pathlib import Path
from connectors import delivery
from settings.workspace import AttributeSettings, ConnectionSettings
connection = ConnectionSettings(
    "crm", "sandbox", (AttributeSettings("p", "purchase_probability"),),
    {{"url": sys.argv[1], "api_key": {KEY!r}}})
desired = ((f"c{{n:04}}", {{"purchase_probability": n}}) for n in range({CUSTOMERS}))
print("ready", flush=True)
delivery.sync(connection, desired, state_path=Path(sys.argv[2]))
"""


def under_way(state_path: Path) -> int:
    """Records in requests that left and were not answered; few at a time."""
    books = sqlite3.connect(state_path)
    requests = [json.loads(row[0]) for row in books.execute("SELECT records FROM in_flight")]
    books.close()
    assert len(requests) < 12
    return sum(len(keys) for request in requests for keys in request.values())


def test_a_killed_sync_resends_what_was_under_way_and_nothing_else(
    url: str, sandbox: Sandbox, app: Flask, tmp_path: Path
) -> None:
    state_path = tmp_path / "state.sqlite"
    kills, chance, in_doubt = 3, random.Random(7), 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, str(state_path)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        written = sandbox.counts().get("writes", 0)
        deadline = clock.monotonic() + 20
        while process.poll() is None and clock.monotonic() < deadline:
            if sandbox.counts().get("writes", 0) > written + chance.randrange(300):
                process.kill()
        process.wait()
        process.stdout.close()
        in_doubt += under_way(state_path)
    connection = ConnectionSettings(
        "crm", "sandbox", (AttributeSettings("p", "purchase_probability"),),
        {"url": url, "api_key": KEY},
    )  # fmt: skip
    desired = ((f"c{n:04}", {"purchase_probability": n}) for n in range(CUSTOMERS))
    delivery.sync(connection, desired, state_path=state_path)
    held = {p["external_id"]: p["custom_attributes"]["p"] for p in sandbox.profiles()}
    assert held == {f"c{n:04}": n for n in range(CUSTOMERS)}
    assert sandbox.counts()["data_points"] <= CUSTOMERS + in_doubt
