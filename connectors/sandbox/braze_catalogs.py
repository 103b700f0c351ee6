"""Braze's catalogs: fields and items. Items are written at once, though Braze only promises it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify

from connectors.sandbox.braze_bodies import IDS, objects, read_body
from connectors.sandbox.dials import Dials
from connectors.sandbox.tools.base import Bench, Shelf

NAME = re.compile(r"[A-Za-z0-9_-]{1,250}")
TYPES = frozenset({"string", "number", "boolean", "time", "object", "array"})
MOST_FIELDS = 500
MOST_READ = 100_000  # more would not fit into a body
LONGEST_VALUE = 5_000
IS_OF: dict[str, Any] = {"string": str, "number": (int, float), "boolean": bool, "time": str}


class InvalidError(Exception):
    """Braze's name for what is wrong, and a sentence."""

    def __init__(self, problem: str, text: str) -> None:
        self.problem = problem
        self.text = text
        super().__init__(text)


@dataclass(frozen=True)
class CatalogsApi:
    """The views."""

    bench: Bench
    dials: Dials

    def all(self) -> Response:
        """GET /catalogs"""
        found = [
            {
                "name": name,
                "description": catalog["description"],
                "fields": [{"name": n, "type": t} for n, t in catalog["fields"].items()],
                "num_items": len(self._items(name).all()),
            }
            for name, catalog in self._catalogs.all().items()
        ]
        return jsonify(catalogs=found, message="success")

    def create(self) -> Response:
        """POST /catalogs: one at a time, its first field is the id."""
        body = read_body()
        if isinstance(body, Response):
            return body
        given = objects(body.get("catalogs"), 1)
        if given is None:
            return _invalid(400, "catalog-array-invalid", "'catalogs' must hold one object")
        (catalog,) = given
        name = str(catalog.get("name", ""))
        try:
            fields = _fields(catalog.get("fields"))
        except InvalidError as error:
            return _invalid(400, error.problem, error.text)
        if not NAME.fullmatch(name):
            return _invalid(400, "invalid_catalog_name", "The name is not valid")
        if next(iter(fields.items()), None) != ("id", "string"):
            return _invalid(400, "id-not-first-column", "The first field must be the id, a string")
        if self._catalogs.get(name) is not None:
            text = "A catalog with that name already exists"
            return _invalid(400, "catalog-name-already-exists", text)
        self._catalogs.put(name, {"description": catalog.get("description"), "fields": fields})
        return _accepted(201)

    def add_fields(self, catalog_name: str) -> Response:
        """POST /catalogs/{name}/fields"""
        body, catalog = read_body(), self._catalogs.get(catalog_name)
        if isinstance(body, Response):
            return body
        if catalog is None:
            return _invalid(404, "catalog-not-found", "Could not find catalog")
        try:
            new = _fields(body.get("fields"))
        except InvalidError as error:
            return _invalid(400, error.problem, error.text)
        if new.keys() & catalog["fields"].keys():
            return _invalid(400, "catalog-field-already-exists", "A field is there already")
        self._catalogs.put(catalog_name, {**catalog, "fields": {**catalog["fields"], **new}})
        return _accepted(202)

    def replace(self, catalog_name: str) -> Response:
        """PUT /catalogs/{name}/items: also makes what is missing."""
        return self._write(catalog_name, lambda items, item: items.put(item["id"], item))

    def remove(self, catalog_name: str) -> Response:
        """DELETE /catalogs/{name}/items"""
        return self._write(catalog_name, lambda items, item: items.remove(item["id"]))

    def items(self, catalog_name: str) -> dict[str, dict[str, Any]]:
        """Item id → fields, without the id."""
        return {
            item_id: {name: value for name, value in item.items() if name != "id"}
            for item_id, item in self._items(catalog_name).all().items()
        }

    def _write(self, catalog_name: str, put: Any) -> Response:
        body, catalog = read_body(), self._catalogs.get(catalog_name)
        if isinstance(body, Response):
            return body
        if catalog is None:
            return _invalid(404, "catalog-not-found", "Could not find catalog")
        items = objects(body.get("items"), MOST_READ)
        try:
            if items is None:
                raise InvalidError("item-array-invalid", "'items' must be an array of objects")
            self._check(items, catalog["fields"])
        except InvalidError as error:
            return _invalid(400, error.problem, error.text)
        with self.bench.storage.transaction():
            for item in items:
                put(self._items(catalog_name), item)
        return _accepted(202)

    def _check(self, items: list[dict[str, Any]], fields: Mapping[str, str]) -> None:
        if len(items) > IDS:
            raise InvalidError("request-includes-too-many-items", f"at most {IDS} items")
        ids = [item.get("id") for item in items]
        if not all(isinstance(each, str) and NAME.fullmatch(each) for each in ids):
            raise InvalidError("invalid-ids", "An id is missing, too long or holds other marks")
        if len(set(ids)) < len(ids):
            raise InvalidError("ids-not-unique", "An id is there twice")
        if self.dials.blocked.intersection(map(str, ids)):
            raise InvalidError("invalid-ids", "An id is blacklisted and disallowed")
        for name, value in (pair for item in items for pair in item.items()):
            if name not in fields:
                raise InvalidError("invalid-fields", f"The catalog has no field {name}")
            if isinstance(value, str) and len(value) > LONGEST_VALUE:
                raise InvalidError("items-too-large", f"{name} is over {LONGEST_VALUE} characters")
            if value is not None and not isinstance(value, IS_OF.get(fields[name], object)):
                raise InvalidError("unable-to-coerce-value", f"{name} is no {fields[name]}")

    @property
    def _catalogs(self) -> Shelf:
        return Shelf(self.bench, "braze:catalogs")

    def _items(self, catalog_name: str) -> Shelf:
        return Shelf(self.bench, f"braze:catalog:{catalog_name}")


def _fields(given: Any) -> dict[str, str]:
    listed = objects(given, MOST_FIELDS)
    if listed is None:
        raise InvalidError("invalid-fields", f"'fields' takes 1 to {MOST_FIELDS} objects")
    names = [str(field.get("name", "")) for field in listed]
    if len(set(names)) < len(names):
        raise InvalidError("field-names-not-unique", "A field is there twice")
    if not all(map(NAME.fullmatch, names)):
        raise InvalidError("invalid-field-names", "A field's name is not valid")
    kinds = [field.get("type") for field in listed]
    if not TYPES.issuperset(kinds):
        raise InvalidError("invalid-field-types", "A field's type is not valid")
    return dict(zip(names, map(str, kinds), strict=True))


def _accepted(status: int) -> Response:
    response = jsonify(message="success")
    response.status_code = status
    return response


def _invalid(status: int, problem: str, text: str) -> Response:
    error = {"id": problem, "message": text, "parameters": [], "parameter_values": []}
    response = jsonify(errors=[error], message="Invalid Request")
    response.status_code = status
    return response
