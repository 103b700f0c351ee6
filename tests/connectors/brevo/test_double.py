"""The double refuses what Brevo refuses, and drops what Brevo drops."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.connectors.doubles import KEY

ANNA = {"email": "anna@shop.example", "attributes": {"RS_PROB": 0.5}}


def call(app: Flask, contacts: Any, key: str = KEY) -> tuple[int, Any, Any]:
    answer = app.test_client().post(
        "/tools/brevo/v3/contacts/batch", json={"contacts": contacts}, headers={"api-key": key}
    )
    return answer.status_code, answer.json, answer.headers


@pytest.mark.parametrize(
    "contacts",
    [None, [], [ANNA] * 101, [None], [{"attributes": {}}], [{**ANNA, "id": 1}],
     [{**ANNA, "attributes": None}], [{**ANNA, "attributes": {"RS_PROB": None}}],
     [{"ext_id": "c1", "attributes": {}}]],
)  # fmt: skip
def test_bad_input_is_refused_as_a_whole(app: Flask, contacts: Any) -> None:
    status, told, _ = call(app, contacts)
    assert (status, told["code"]) == (400, "invalid_parameter")


def test_one_who_is_no_contact_costs_the_whole_call(app: Flask) -> None:
    status, told, _ = call(app, [ANNA, {**ANNA, "email": "eve@nobody.example"}])
    assert (status, told["code"]) == (404, "document_not_found")
    assert told["message"] == "No contact found for indexes 1"


def test_a_wrong_key_is_refused(app: Flask) -> None:
    assert call(app, [ANNA], key="wrong")[0] == 401


def test_the_rate_is_told_by_brevos_headers(app: Flask) -> None:
    status, _, headers = call(app, [ANNA])
    assert status == 204
    assert headers["x-sib-ratelimit-limit"] == "10"
    assert "Retry-After" not in headers
