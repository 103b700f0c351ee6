"""The OpenAPI document says what the routes do, and is kept in docs/."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.content.kinds import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = ("get", "post", "delete", "put", "patch")


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def test_the_document_in_docs_is_the_one_that_is_served(client):
    served = client.get("/openapi.json").get_data()
    assert served == DOCUMENT.read_bytes(), (
        "write it anew: python -m plugin.openapi > docs/openapi.json"
    )


def test_every_route_has_a_summary_answers_and_what_it_needs(client):
    for name, operation in operations(client.get("/openapi.json").get_json()):
        assert operation.get("summary"), name
        assert any(status[0] in "23" for status in operation["responses"]), name
        if name.split()[1] not in ("/healthz", "/readyz", "/l/{token}", "/c/{token}"):
            assert operation["security"], name
            assert {"401", "403"} <= set(operation["responses"]), name
            assert operation["x-scope"] in ("content", "events", "segments", "admin"), name


def test_content_may_be_asked_for_without_a_customer_in_the_address(client):
    paths = client.get("/openapi.json").get_json()["paths"]
    content = {path: item for path, item in paths.items() if path.startswith("/v1/content/")}
    assert len(content) == len(KINDS)
    for path, item in content.items():
        assert "application/json" in item["post"]["requestBody"]["content"], path
        assert "parameters" not in item["post"], path


def test_every_route_of_the_app_is_in_the_document(app, client):
    documented = {name for name, _ in operations(client.get("/openapi.json").get_json())}
    served = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith("documentation.")
    }
    assert len(documented) == len(served)


def test_the_page_loads_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.get_data(as_text=True).replace("https://rightsend", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        with client.get(f"/docs/{name}") as asset:
            assert asset.status_code == 200


@pytest.mark.parametrize("name", ["..%2fapp.py", "nothing.js", "index.html"])
def test_bad_input_unknown_file_of_the_page_is_404(client, name):
    assert client.get(f"/docs/{name}").status_code == 404
