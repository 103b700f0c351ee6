"""The sandbox refuses about catalogs and people what Braze refuses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.connectors.doubles import KEY

BEARER = {"Authorization": f"Bearer {KEY}"}
ID = {"name": "id", "type": "string"}
PRICE = {"name": "price", "type": "number"}


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def shop(web: FlaskClient) -> FlaskClient:
    catalog = {"name": "shop", "description": "Items", "fields": [ID, PRICE]}
    made = web.post("/catalogs", json={"catalogs": [catalog]}, headers=BEARER)
    assert made.status_code == 201
    return web


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["errors"][0]["id"]


def test_a_catalog_is_listed_with_its_fields_and_size(shop: FlaskClient) -> None:
    shop.put("/catalogs/shop/items", json={"items": [{"id": "a", "price": 1}]}, headers=BEARER)
    (listed,) = shop.get("/catalogs", headers=BEARER).json["catalogs"]
    assert (listed["fields"], listed["num_items"]) == ([ID, PRICE], 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"name": "a b"}, "invalid_catalog_name"), ({"name": "shop"}, "catalog-name-already-exists"),
     ({"fields": [PRICE, ID]}, "id-not-first-column"),
     ({"fields": [ID, ID]}, "field-names-not-unique"),
     ({"fields": [ID, {"name": "x", "type": "money"}]}, "invalid-field-types"),
     ({"fields": [ID, {"name": "x y", "type": "string"}]}, "invalid-field-names"),
     ({"fields": []}, "invalid-fields")],
)  # fmt: skip
def test_bad_input_a_catalog_that_cannot_be_is_refused(
    shop: FlaskClient, change: dict[str, Any], expected: str
) -> None:
    catalog = {"name": "other", "description": "", "fields": [ID], **change}
    answer = shop.post("/catalogs", json={"catalogs": [catalog]}, headers=BEARER)
    assert problem(answer) == (400, expected)


@pytest.mark.parametrize(
    ("items", "expected"),
    [([{"id": f"i{n}"} for n in range(51)], "request-includes-too-many-items"),
     ([{"id": "a"}, {"id": "a"}], "ids-not-unique"), ([{"price": 1}], "invalid-ids"),
     ([{"id": "a b"}], "invalid-ids"), ([{"id": 7}], "invalid-ids"), ([7], "item-array-invalid"),
     ([{"id": "a", "colour": "red"}], "invalid-fields"), ("text", "item-array-invalid"),
     (7, "item-array-invalid"),
     ([{"id": "a", "price": "cheap"}], "unable-to-coerce-value")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_bad_input_items_that_cannot_be_are_refused(
    shop: FlaskClient, items: Any, expected: str, method: str
) -> None:
    path = "/catalogs/shop/items"
    answer = shop.open(path, method=method, json={"items": items}, headers=BEARER)
    assert problem(answer) == (400, expected)


@pytest.mark.parametrize(("method", "tail"), [("PUT", "items"), ("POST", "fields")])
def test_bad_input_a_catalog_that_is_not_there_is_404(
    web: FlaskClient, method: str, tail: str
) -> None:
    body = {"items": [{"id": "a"}], "fields": [PRICE]}
    answer = web.open(f"/catalogs/none/{tail}", method=method, json=body, headers=BEARER)
    assert problem(answer) == (404, "catalog-not-found")


def test_bad_input_a_field_that_is_there_is_not_added(shop: FlaskClient) -> None:
    answer = shop.post("/catalogs/shop/fields", json={"fields": [PRICE]}, headers=BEARER)
    assert problem(answer) == (400, "catalog-field-already-exists")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/users/identify", {}), ("/users/identify", {"aliases_to_identify": [{}] * 51}),
     ("/users/identify", {"aliases_to_identify": [{"external_id": "c"}]}),
     ("/users/identify", {"aliases_to_identify": [{"user_alias": {"alias_name": "a"}}]}),
     ("/users/merge", {"merge_updates": []}), ("/users/merge", {"merge_updates": [{"x": 1}]}),
     ("/users/merge", {"merge_updates": [{"identifier_to_merge": {"external_id": "a"},
                                          "identifier_to_keep": {}}]}),
     ("/users/export/segment", {"segment_id": "none", "fields_to_export": ["external_id"]}),
     ("/users/export/segment", {"segment_id": "none"})],
)  # fmt: skip
def test_bad_input_shapes_about_people_are_refused(
    web: FlaskClient, path: str, body: dict[str, Any]
) -> None:
    assert web.post(path, json=body, headers=BEARER).status_code == 400


def test_bad_input_catalogs_need_a_key(web: FlaskClient) -> None:
    assert web.get("/catalogs").status_code == 401


def test_an_alias_stays_with_whom_it_was_given_to_first(web: FlaskClient) -> None:
    for person in ("a", "b"):
        alias = {"alias_name": "4711", "alias_label": "card"}
        body = {"aliases_to_identify": [{"external_id": person, "user_alias": alias}]}
        assert web.post("/users/identify", json=body, headers=BEARER).status_code == 201
    body = {"external_ids": ["a", "b"], "fields_to_export": ["external_id", "user_aliases"]}
    answer = web.post("/users/export/ids", json=body, headers=BEARER).json
    assert answer["users"] == [{"external_id": "a", "user_aliases": [alias]}]
