from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response, jsonify, redirect, request

from connectors.sandbox.fetching import Fetcher
from connectors.sandbox.rendering import Message, Renderer
from tests.connectors.doubles import FakeTime
from tests.connectors.servers import serving


@dataclass
class Content:
    """A server that Connected Content calls. ``asked`` holds its requests."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def content() -> Iterator[Content]:
    served = Content()
    app = Flask("content")

    @app.before_request
    def note() -> None:
        headers = {name.lower(): value for name, value in request.headers}
        served.asked.append(
            {"method": request.method, "path": request.path, "args": request.args.to_dict(),
             "headers": headers, "body": request.get_data(as_text=True)}
        )  # fmt: skip

    @app.route("/json", methods=["GET", "POST"])
    def as_json() -> Response:
        return jsonify(name="Milk", items=[1, 2], customer=request.args.get("customer"))

    @app.get("/list")
    def as_list() -> Response:
        return jsonify([1, 2])

    @app.get("/text")
    def as_text() -> str:
        return "just text"

    @app.get("/status/<int:code>")
    def status(code: int) -> tuple[str, int]:
        return "no", code

    @app.get("/moved")
    def moved() -> Any:
        return redirect("/text")

    @app.get("/large")
    def large() -> str:
        return "x" * 1_000_001

    with serving(app) as url:
        served.url = url
        yield served


class Kitchen:
    """Renders a template at once; time passes only by sleeping."""

    def __init__(self, time: FakeTime) -> None:
        self.fetcher = Fetcher(monotonic=time, sleep=time.sleep)
        self.renderer = Renderer(self.fetcher, {"shop": ("user", "password")}.get)

    def message(self, template: str, **options: Any) -> Message:
        profile = options.pop("profile", {"external_id": "c&1", "first_name": "Ann"})
        campaign = {"api_id": "camp-1", "name": "Spring"}
        return self.renderer.render(
            self.renderer.parse(template), profile=profile, campaign=campaign,
            properties=options.pop("properties", {}),
        )  # fmt: skip

    def text(self, template: str, **options: Any) -> str:
        message = self.message(template, **options)
        assert message.state == "sent", message.reason
        return message.body


@pytest.fixture
def kitchen(time: FakeTime) -> Kitchen:
    return Kitchen(time)
