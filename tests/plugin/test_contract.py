"""Every route keeps what the OpenAPI document says, whatever is sent to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import seed as seeded
from hypothesis import settings as examples
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plugin.app import create_app
from plugin.segments import routes

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
OPERATIONS = [
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if method in ("get", "post", "delete")
]
WITH_INPUT = [(path, method) for path, method in OPERATIONS if not path.endswith("z")]  # not probes
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WRONG_KEY = "rs_shop_00000000_" + "0" * 40


@pytest.fixture
def contract(settings, redis_url, published, monkeypatch):
    """The served document of an app with one workspace, which has a snapshot."""
    monkeypatch.setattr(routes, "PREVIEW_WAIT_S", 0)
    shop = {"shop": settings.workspaces["shop"]}
    app = create_app(replace(settings, workspaces=shop, log_level="critical"), redis_url=redis_url)
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def bounded(number: int):
    """So many examples a route, the same every time; the benchmark sends a hundred thousand."""
    return examples(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_documented(contract, key, path, method):
    @seeded(1)
    @bounded(15)
    @given(case=contract[path][method].as_strategy())
    def sent(case):
        response = case.call(headers={"X-Api-Key": key})
        case.validate_response(response, checks=CHECKS)

    sent()


@pytest.mark.parametrize(("path", "method"), WITH_INPUT)
def test_bad_input_of_any_kind_is_answered_as_documented(contract, key, path, method):
    strategy = contract[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seeded(2)
    @bounded(15)
    @given(case=strategy)
    def sent(case):
        response = case.call(headers={"X-Api-Key": key})
        assert response.status_code < 500
        if response.status_code not in (404, 405):  # a mutated path is another route, or none
            case.validate_response(response, checks=CHECKS)

    sent()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_bad_input_without_a_right_key_tells_nothing(contract, path, method):
    operation = contract[path][method]

    @seeded(3)
    @bounded(5)
    @given(case=operation.as_strategy())
    def sent(case):
        case.headers.pop("Authorization", None)
        response = case.call(headers={"X-Api-Key": WRONG_KEY})
        keyed = operation.definition.raw.get("security")
        assert response.status_code in ((401,) if keyed else (200, 302))

    sent()
