"""What a query has that nobody reads: the campaign goes on, and the operator is told."""

from __future__ import annotations

import json

import pytest

from plugin import logs
from plugin.content.call import unknown_names
from plugin.content.schema import ForYouArgumentsSchema
from tests.plugin.conftest import error_code
from tests.plugin.test_metrics import samples

PATHS = {"for-you": "/v1/content/for-you", "landing": "/v1/landing/spring"}


@pytest.fixture(autouse=True)
def fresh_samplers(monkeypatch):
    monkeypatch.setattr(logs, "_troubles", logs.Sampler(1))


def told(capsys) -> list[dict]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["event"] == "unknown parameter"]


@pytest.mark.parametrize("kind", PATHS)
def test_a_misspelt_parameter_is_answered_counted_and_named(app, get, published, capsys, kind):
    asked = {"customer": "customer-001", "exlude": "item-01", "utm_source": "braze"}
    plain = get(PATHS[kind], customer="customer-001").get_json()
    assert told(capsys) == []
    for _ in range(3):
        answer = get(PATHS[kind], **asked)
        assert answer.status_code == 200
        assert answer.get_json() == plain
    (line,) = told(capsys)
    assert (line["kind"], line["names"]) == (kind, ["exlude", "utm_source"])
    assert "item-01" not in json.dumps(line)
    found = samples(app.extensions["rightsend"].metrics.render())
    assert found["rightsend_content_unknown_parameters_total", kind] == 3


def test_parameters_that_a_kind_knows_are_none(app, get, published, capsys):
    get(PATHS["for-you"], customer="customer-001", exclude="item-01", limit="3", campaign="spring")
    assert told(capsys) == []


def test_a_query_that_only_the_schema_reads_is_told_of_too(client, key, published, capsys):
    query = "customer=customer-001&customer=customer-001&brnad=x"
    client.get(f"{PATHS['for-you']}?{query}", headers={"X-Api-Key": key})
    (line,) = told(capsys)
    assert line["names"] == ["brnad"]


def test_pieces_of_an_id_that_was_not_encoded_are_not_logged(get, client, key, published, capsys):
    query = "customer=Marks%20&anna@example.org&customer-17&UPPER&" + "x" * 31
    client.get(f"{PATHS['for-you']}?{query}", headers={"X-Api-Key": key})
    (line,) = told(capsys)
    assert line["names"] == ["other"]


def test_a_few_names_are_enough():
    given = [f"{letter}_{letter}" for letter in "abcdefghij"]
    assert len(unknown_names(ForYouArgumentsSchema(), given)) == 5


def test_bad_input_an_unknown_member_of_a_body_is_refused(post, published):
    response = post(PATHS["for-you"], {"customer": "customer-001", "exlude": "item-01"})
    assert response.status_code == 422
    assert error_code(response) == "invalid_parameters"
    assert "exlude" in response.get_json()["error"]["details"]
