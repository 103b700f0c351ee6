"""A Klaviyo that answers by a script."""

from __future__ import annotations

from typing import Any

from connectors.http import Answer
from connectors.klaviyo.api import Api
from connectors.rate import Rate
from tests.connectors.doubles import FakeTime
from tests.connectors.saying import saying

STARTED = Answer(202, {"data": {"type": "job", "id": "j1"}})


def api(*script: Answer, most_wait_s: float = 60.0) -> Api:
    return Api(saying(*script), most_wait_s, FakeTime().sleep)


def job(status: str, failed: Any = 0, rate: Rate | None = None, **more: Any) -> Answer:
    attributes = {"status": status, "failed_count": failed, **more}
    return Answer(200, {"data": {"id": "j1", "attributes": attributes}}, rate or Rate())


def listing(*attributes: Any, following: str | None = None) -> Answer:
    data = [{"type": "any", "id": "e", "attributes": each} for each in attributes]
    return Answer(200, {"data": data, "links": {"next": following}})
