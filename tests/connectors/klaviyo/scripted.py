"""A Klaviyo that answers by a script."""

from __future__ import annotations

from typing import Any

from connectors.http import Answer, Client
from connectors.klaviyo.api import Api
from connectors.rate import Rate
from tests.connectors.doubles import FakeTime

STARTED = Answer(202, {"data": {"type": "job", "id": "j1"}})


class ScriptedClient(Client):
    """A client whose host says one thing after another; the last goes on for ever."""

    def request(self, *_: Any, **__: Any) -> Answer:
        script: list[Answer] = self.headers["script"]  # type: ignore[assignment]
        return script.pop(0) if len(script) > 1 else script[0]


def api(*script: Answer, most_wait_s: float = 60.0) -> Api:
    client = ScriptedClient("http://x", headers={"script": list(script)})  # type: ignore[dict-item]
    return Api(client, most_wait_s, FakeTime().sleep)


def job(status: str, failed: Any = 0, rate: Rate | None = None, **more: Any) -> Answer:
    attributes = {"status": status, "failed_count": failed, **more}
    return Answer(200, {"data": {"id": "j1", "attributes": attributes}}, rate or Rate())


def listing(*attributes: Any, following: str | None = None) -> Answer:
    data = [{"type": "any", "id": "e", "attributes": each} for each in attributes]
    return Answer(200, {"data": data, "links": {"next": following}})
