"""The demo on a small shop: the whole way from files to messages, and what is told about it."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rightsend.context import Context
from rightsend.demo import CAMPAIGN, Told
from rightsend.sandbox import client
from tests.rightsend import shop
from tests.rightsend.test_up import free_port
from tests.rightsend.waiting import until


class Demo:
    """A running `rightsend demo`."""

    def __init__(self, config: Path, state: Path, log: Path) -> None:
        self.log = log
        words = ["demo", "--config", str(config), "--state", str(state)]
        command = [sys.executable, "-m", "rightsend.cli", *words, "--port", str(free_port())]
        with log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def told(self) -> str:
        """What it printed, once the summary is complete."""

        def complete() -> bool:
            return "Ctrl-C ends every process" in self.log.read_text() or bool(
                self.process.poll() is not None
            )

        until(complete, within_s=240, what="the summary")
        assert self.process.poll() is None, self.log.read_text()
        return self.log.read_text()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


@pytest.mark.slow
def test_the_first_start_sends_a_campaign_and_the_next_one_only_tells(tmp_path: Path) -> None:
    config, state = shop.write(tmp_path / "shop"), tmp_path / "state"
    demo = Demo(config, state, tmp_path / "first.log")
    try:
        first = demo.told()
        context = Context.load(config, state)
        tool = client(context)
        told = Told.read(state / "run" / "demo.json")
        outbox, members = tool.outbox(CAMPAIGN), tool.members(str(told.segment_id))
        assert [message["external_id"] for message in outbox] == members
        assert len(members) == 12  # 20 % of 60
        bodies = [message["body"] for message in outbox if message["state"] == "sent"]
        assert len(bodies) >= 11
        assert all("/l/" in body for body in bodies)
        landing = re.search(r"A landing page: (\S+)", first)
        assert landing is not None
        with urllib.request.urlopen(landing.group(1), timeout=10) as page:
            assert page.status == 200
        command = re.search(r"curl -s -H 'X-Api-Key: (\S+)' '(\S+)'", first)
        assert command is not None
        assert _content(*command.groups())["fallback"] is False
    finally:
        demo.stop()
    again = Demo(config, state, tmp_path / "second.log")
    try:
        second = again.told()
        assert "train" not in second
        assert command.group(1) in second  # the keys that were printed stay valid
        assert client(Context.load(config, state)).outbox(CAMPAIGN) == outbox
    finally:
        again.stop()


def test_what_was_told_is_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    Told(content_key="a", demo_key="b", sent=True).write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Told.read(path) == Told(content_key="a", demo_key="b", sent=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}'])
def test_bad_input_a_damaged_note_is_as_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text(text)
    assert Told.read(path) == Told()


def _content(key: str, url: str) -> dict[str, object]:
    request = urllib.request.Request(url, headers={"X-Api-Key": key})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read()))
