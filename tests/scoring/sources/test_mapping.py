"""From source columns to canonical ones, and why a row does not fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.sources import mapping
from scoring.sources.chunk import LINE
from scoring.sources.errors import SourceError
from settings.workspace import ColumnMapping, SourceSettings
from tests.scoring.shop import NOW

M = ColumnMapping
EVENT = {
    "occurred_at": M(value="2026-03-01T10:00:00Z"),
    "identifier": M(value="kim"),
    "event_type": M(value="purchase"),
}


def mapped(
    columns: Mapping[str, M],
    raw: Mapping[str, Any],
    table: str = "events",
    *,
    replay: bool = False,
) -> mapping.Mapped:
    """Map a raw table given as column → values."""
    data = pa.table(dict(raw))
    data = data.append_column(LINE, pa.array(np.arange(1, data.num_rows + 1)))
    source = SourceSettings("s", "file", table, columns)
    with mapping.connect() as connection:
        return mapping.apply(connection, source, data, mapping.Horizon(NOW, replay=replay))


def column(name: str, how: M, values: Any, table: str = "events") -> list[Any]:
    """One canonical column of good rows; every row has to be good."""
    base = EVENT if table == "events" else {"item_id": M(value="tea")}
    result = mapped({**base, name: how}, {"x": values}, table)
    assert result.reasons == []
    return result.rows[name].to_pylist()


def reasons(name: str, how: M, values: Any, table: str = "events") -> list[str | None]:
    """Reason of each row, None = good."""
    base = EVENT if table == "events" else {"item_id": M(value="tea")}
    result = mapped({**base, name: how}, {"x": values}, table)
    found: list[str | None] = [None] * len(values)
    for row, reason in zip(result.rejected, result.reasons, strict=True):
        found[row] = reason
    return found


X = M(column="x")
TIME = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("how", "value"),
    [
        (X, "2026-03-01T10:30:00Z"),
        (X, "2026-03-01 10:30"),
        (X, "2026-03-01T19:30:00+09:00"),
        (M(column="x", timezone="Asia/Seoul"), "2026-03-01 19:30:00"),
        (M(column="x", timezone="Asia/Seoul"), "2026-03-01T10:30:00Z"),
        (M(column="x", timezone="Asia/Seoul"), "2026-03-01 11:30:00+01"),
        (M(column="x", format="%d.%m.%Y %H:%M"), "01.03.2026 10:30"),
        (M(column="x", format="%d.%m.%Y %H:%M", timezone="Asia/Seoul"), "01.03.2026 19:30"),
        (M(column="x", format="%Y%m%d%H%M%S%z"), "20260301113000+0100"),
        (M(column="x", format="unix_s"), "1772361000"),
        (M(column="x", format="unix_s"), 1772361000),
        (M(column="x", format="unix_ms"), 1772361000000),
        (M(column="x", format="unix_ms"), "1772361000000"),
        (X, datetime(2026, 3, 1, 10, 30)),
        (X, TIME),
        (M(column="x", timezone="Asia/Seoul"), datetime(2026, 3, 1, 19, 30)),
    ],
)
def test_times_of_every_form(how: M, value: object) -> None:
    assert column("occurred_at", how, [value]) == [TIME]


def test_a_date_is_its_midnight() -> None:
    assert column("occurred_at", X, [date(2026, 3, 1)]) == [datetime(2026, 3, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2026-02-30", "2026-13-01", "infinity", "1969-01-01", "20260301", "9" * 30],
)
def test_bad_input_time_that_is_none(value: str) -> None:
    assert reasons("occurred_at", X, [value]) == ["unparsable_time"]


def test_bad_input_number_as_a_time_needs_a_unit() -> None:
    assert reasons("occurred_at", X, [1772361000]) == ["unparsable_time"]


@pytest.mark.parametrize("value", ["1e300", "-1e300", "nan", "x"])
def test_bad_input_unix_time_out_of_the_world(value: str) -> None:
    assert reasons("occurred_at", M(column="x", format="unix_s"), [value]) == ["unparsable_time"]


@pytest.mark.parametrize("value", [None, "", "  "])
def test_bad_input_no_time(value: str | None) -> None:
    assert reasons("occurred_at", X, pa.array([value], pa.string())) == ["missing_time"]


def test_bad_input_far_future() -> None:
    days = [NOW + timedelta(hours=23), NOW + timedelta(hours=25)]
    assert reasons("occurred_at", X, days) == [None, "future_time"]


def test_replay_waits_for_what_has_not_happened_and_rejects_what_never_will() -> None:
    moments = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(9), NOW + timedelta(400)]
    result = mapped({**EVENT, "occurred_at": X}, {"x": moments}, replay=True)
    assert result.kept.tolist() == [0]
    assert (result.later, result.next_at) == (2, NOW)
    assert (result.rejected.tolist(), result.reasons) == ([3], ["future_time"])


@pytest.mark.parametrize("event_id", [None, "", " "])
def test_bad_input_missing_event_id(event_id: str | None) -> None:
    assert reasons("event_id", X, pa.array([event_id], pa.string())) == ["missing_id"]


def test_bad_input_id_of_which_a_part_is_missing() -> None:
    result = mapped(
        {**EVENT, "event_id": M(join=("a", "b"))}, {"a": ["1", "2"], "b": pa.array([None, "x"])}
    )
    assert result.reasons == ["missing_id"]
    assert result.rows["event_id"].to_pylist() == ["2-x"]


def test_bad_input_missing_identifier() -> None:
    assert reasons("identifier", X, ["", "lee"]) == ["missing_id", None]


def test_bad_input_unknown_event_type() -> None:
    values = ["purchase", "PURCHASE", "sale", ""]
    unknown = "unknown_event_type"
    assert reasons("event_type", X, values) == [None, unknown, unknown, unknown]


def test_translated_event_types() -> None:
    how = M(column="x", translate={"ORDER": "purchase", "REFUND": "return"})
    assert column("event_type", how, ["ORDER", "REFUND"]) == ["purchase", "return"]
    assert reasons("event_type", how, ["ORDER", "GIFT"]) == [None, "unknown_event_type"]


def test_bad_input_value_that_translate_does_not_have() -> None:
    how = M(column="x", translate={"W": "web"})
    assert reasons("channel", how, ["W", "S"]) == [None, "unknown_value"]


def test_bad_input_unknown_identifier_kind() -> None:
    found = reasons("identifier_kind", X, ["alias", "passport"])
    assert found == [None, "unknown_identifier_kind"]


def test_identifiers_are_external_ids_unless_said_otherwise() -> None:
    how = {**EVENT, "identifier": M(column="who"), "device_id": M(column="device")}
    rows = mapped(how, {"who": ["kim", None], "device": ["d1", "d2"]}).rows
    assert rows["identifier"].to_pylist() == ["kim", "d2"]
    assert rows["identifier_kind"].to_pylist() == ["external_id", "device_id"]


@pytest.mark.parametrize("value", ["two", "1,5", "inf", "nan", "0x10", "--1"])
def test_bad_input_unparsable_number(value: str) -> None:
    assert reasons("unit_price", X, [value]) == ["unparsable_number"]


def test_bad_input_infinite_number() -> None:
    assert reasons("unit_price", X, [1.5, float("inf")]) == [None, "unparsable_number"]


def test_numbers_of_every_form() -> None:
    assert column("quantity", X, ["2", " 2.5 ", "1e2", ""]) == [2.0, 2.5, 100.0, None]
    assert column("quantity", X, pa.array([1, None])) == [1.0, None]
    assert column("quantity", X, [1.5, float("nan")]) == [1.5, None]


@pytest.mark.parametrize(
    ("name", "table"),
    [("identifier", "events"), ("item_id", "events"), ("device_id", "events"),
     ("event_id", "events"), ("item_id", "items"), ("category", "items"), ("brand", "items")],
)  # fmt: skip
def test_bad_input_a_name_that_swallowed_half_the_file(name, table) -> None:
    """An open quote in one row must not make every name as long as that one in memory."""
    found = reasons(name, X, ["tea", "차" * 334, "x" * 1000, None], table)
    assert found[:3] == [None, "too_long", None]


def test_a_long_text_is_welcome() -> None:
    assert column("text", X, ["x" * 5000], "items") == ["x" * 5000]


def test_bad_input_negative_quantity_unless_it_is_a_return() -> None:
    result = mapped(
        {**EVENT, "event_type": M(column="t"), "quantity": X},
        {"t": ["purchase", "return"], "x": ["-1", "-1"]},
    )
    assert result.reasons == ["negative_quantity"]
    assert result.rows["event_type"].to_pylist() == ["return"]


def test_division() -> None:
    how = M(divide=("a", "b"))
    result = mapped(
        {**EVENT, "unit_price": how}, {"a": [5.0, 5.0, 5.0], "b": pa.array([2, 0, None])}
    )
    assert result.rows["unit_price"].to_pylist() == [2.5, None, None]


def test_bad_input_division_of_a_word() -> None:
    result = mapped(
        {**EVENT, "unit_price": M(divide=("a", "b"))}, {"a": ["5", "x"], "b": ["2", "2"]}
    )
    assert result.reasons == ["unparsable_number"]
    assert result.rows["unit_price"].to_pylist() == [2.5]


def test_ids_of_float_columns_are_whole_numbers() -> None:
    assert column("item_id", X, [12.0, float("nan"), 1.5]) == ["12", None, "1.5"]


def test_joined_texts_leave_out_missing_levels() -> None:
    how = {"item_id": M(column="i"), "category": M(join=("a", "b"), separator=" > ")}
    rows = mapped(
        how, {"i": [1, 2, 3], "a": ["X", "X", None], "b": ["Y", None, None]}, "items"
    ).rows
    assert rows["category"].to_pylist() == ["X > Y", "X", None]


def test_stock_is_whole() -> None:
    assert column("stock", X, ["3", "4.0", ""], "items") == [3, 4, None]
    assert reasons("stock", X, ["3", "1.5", "1e30"], "items")[1:] == ["unparsable_number"] * 2


def test_bad_input_item_without_an_id() -> None:
    assert reasons("item_id", X, ["", "tea"], "items") == ["missing_id", None]


def customer(name: str, how: M, values: Any) -> mapping.Mapped:
    return mapped({"customer_id": M(value="kim"), name: how}, {"x": values}, "customers")


def test_consent_of_every_form() -> None:
    given_values = ["true", "No", "1", "Y", "off", ""]
    found = customer("ad_consent", X, given_values).rows["ad_consent"].to_pylist()
    assert found == [True, False, True, True, False, None]
    assert customer("ad_consent", X, [True, None]).rows["ad_consent"].to_pylist() == [True, None]
    how = M(column="x", translate={"Y": "true", "N": "false"})
    assert customer("ad_consent", how, ["N", "Y"]).rows["ad_consent"].to_pylist() == [False, True]


def test_bad_input_consent_that_is_neither_yes_nor_no() -> None:
    assert customer("ad_consent", X, ["maybe"]).reasons == ["unparsable_flag"]


def test_json_columns_as_text_and_as_structs() -> None:
    text = customer("identifiers", X, ['{"device_id": ["d1"]}']).rows["identifiers"]
    assert text.to_pylist() == ['{"device_id": ["d1"]}']
    struct = customer("identifiers", X, [{"device_id": ["d1"]}]).rows["identifiers"]
    assert struct.to_pylist() == ['{"device_id":["d1"]}']


def objects(how: dict[str, str], raw: Mapping[str, Any]) -> list[str | None]:
    """The attributes that an ``object`` makes of the raw columns."""
    columns = {"customer_id": M(value="kim"), "attributes": M(object=how)}
    result = mapped(columns, raw, "customers")
    assert result.reasons == []
    found: list[str | None] = result.rows["attributes"].to_pylist()
    return found


def test_an_object_of_columns_has_sorted_keys_and_no_missing_values() -> None:
    raw = {"a": ["45-54", None, " ", None], "n": pa.array([2, 3, None, None])}
    found = objects({"kids": "n", "age": "a"}, raw)
    assert found == ['{"age":"45-54","kids":2}', '{"kids":3}', None, None]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, False]), [True, False]),
        (pa.array([12.0, 0.25]), [12, 0.25]),
        (pa.array([0.1, 1e30], pa.float32()), [0.1, 1e30]),
        (pa.array([2**63 - 1, -1]), [2**63 - 1, -1]),
        (pa.array([Decimal("-0.50"), Decimal("12.00")]), [-0.5, 12.0]),
        (pa.array(["12", "true"]), ["12", "true"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([["d1", "d2"], []]), [["d1", "d2"], []]),
        (pa.array([{"a": 1}, {"a": 2}]), [{"a": 1}, {"a": 2}]),
        (pa.array([date(2026, 3, 1), date(1999, 12, 31)]), ["2026-03-01", "1999-12-31"]),
    ],
    ids=lambda values: str(getattr(values, "type", "")),
)
def test_an_objects_values_keep_their_type(values: pa.Array, expected: list[Any]) -> None:
    found = [json.loads(text or "") for text in objects({"x": "x"}, {"x": values})]
    assert found == [{"x": value} for value in expected]
    assert [type(each["x"]) for each in found] == [type(value) for value in expected]


def test_bad_input_numbers_that_json_cannot_write_are_left_out_of_an_object() -> None:
    found = objects({"x": "x"}, {"x": [1.5, float("nan"), float("inf"), float("-inf")]})
    assert found == ['{"x":1.5}', None, None, None]


@given(key=st.text(min_size=1), value=st.text())
def test_any_text_comes_through_an_object_unharmed(key: str, value: str) -> None:
    (text,) = objects({key: "x"}, {"x": [f"<{value}>"]})
    assert json.loads(text or "") == {key: f"<{value}>"}


def test_an_object_names_columns_that_are_read() -> None:
    how = {**EVENT, "properties": M(object={"b": "x", "a": "y"}), "item_id": M(column="sku")}
    assert mapping.source_columns(SourceSettings("s", "file", "events", how)) == ["sku", "x", "y"]


@pytest.mark.parametrize(
    "value", ['{"a": NaN}', '{"a": 1,}', '{"a": 1e999}', "{", "[1]", "12", "kim"]
)
def test_bad_input_properties_that_are_no_json_object(value: str) -> None:
    assert reasons("properties", X, [value]) == ["invalid_json"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["vegan, sale|new;sale ", " ", None], [["new", "sale", "vegan"], None, None]),
        (['["vegan", " sale ", null, 2026]', "[]"], [["2026", "sale", "vegan"], []]),
        (pa.array([["vegan", "sale"], [], None]), [["sale", "vegan"], [], None]),
    ],
)
def test_tags_of_every_form(values: Any, expected: list[Any]) -> None:
    assert column("tags", X, values, table="items") == expected


def test_bad_input_tags_that_begin_like_a_list_and_are_none() -> None:
    assert reasons("tags", X, ['["vegan"', "[vegan]"], table="items") == ["invalid_list"] * 2


def test_without_an_event_id_equal_rows_are_one_event_and_others_are_not() -> None:
    ids = mapped({**EVENT, "item_id": X}, {"x": ["tea", "tea", "mug", None]}).rows["event_id"]
    first, second, third, fourth = ids.to_pylist()
    assert first == second
    assert len({first, third, fourth}) == 3
    # kept in the lake for years: it must not depend on a release of a library
    told = ["2026-03-01 10:00:00+00", "kim", "external_id", "purchase", "tea", *"\x1e" * 6]
    assert first == hashlib.md5("\x1f".join(told).encode()).hexdigest()


def test_source_columns_that_differ_only_by_case() -> None:
    how = {**EVENT, "event_id": M(column="ID"), "item_id": M(column="id")}
    row = mapped(how, {"ID": ["e1"], "id": ["tea"]}).rows.to_pylist()[0]
    assert (row["event_id"], row["item_id"]) == ("e1", "tea")


def test_columns_with_quotes_in_their_names_and_values() -> None:
    how = {**EVENT, "event_id": M(column='a"b'), "channel": M(value="it's")}
    row = mapped(how, {'a"b': ["e1"]}).rows.to_pylist()[0]
    assert (row["event_id"], row["channel"]) == ("e1", "it's")


def test_rows_keep_their_order_in_big_chunks() -> None:
    numbers = pa.array(np.arange(300_000))
    result = mapped({**EVENT, "event_id": X}, {"x": numbers})
    assert result.rows["event_id"].equals(pa.chunked_array([numbers.cast(pa.string())]))


@pytest.mark.parametrize(
    ("table", "columns", "problem"),
    [
        ("events", {"identifier": X, "event_type": X}, "lacks occurred_at"),
        ("events", {"occurred_at": X, "identifier": X}, "lacks event_type"),
        ("events", {"occurred_at": X, "event_type": X}, "lacks identifier"),
        ("items", {"name": X}, "lacks item_id"),
        ("items", {"item_id": X, "colour": X}, "items has no column 'colour'"),
        ("orders", {"id": X}, "no table 'orders'"),
        (
            "items",
            {"item_id": M(object={"a": "x"})},
            "item_id cannot hold .* has no column for one",
        ),
        ("events", {**EVENT, "channel": M(object={"a": "x"})}, "events has properties for one"),
        ("items", {"item_id": M(column="x", timezone="Mars/Base")}, "no time zone 'Mars/Base'"),
    ],
)
def test_bad_input_mapping_that_cannot_work(
    table: str, columns: dict[str, M], problem: str
) -> None:
    with pytest.raises(SourceError, match=problem):
        mapping.check(SourceSettings("s", "file", table, columns))


def test_bad_input_time_format_that_is_none() -> None:
    how = {**EVENT, "occurred_at": M(column="x", format="%Q")}
    with pytest.raises(SourceError, match="mapping cannot be applied"):
        mapped(how, {"x": ["1"]})


ANYTHING = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["1", "-1", "2026-03-01", "{}"])
)


@given(values=st.lists(ANYTHING, min_size=1, max_size=8))
def test_no_row_is_lost_whatever_it_holds(values: list[str | None]) -> None:
    """Every row is kept, waits, or has a reason; nothing raises."""
    everything = dict.fromkeys(("event_id", "occurred_at", "identifier", "quantity"), X)
    columns = {**EVENT, **everything, "properties": X, "device_id": X}
    raw = {"x": pa.array(values, pa.string())}
    result = mapped(columns, raw, replay=True)
    assert len(result.kept) + len(result.rejected) + result.later == len(values)
    assert result.rows.num_rows == len(result.kept)


@pytest.mark.parametrize("values", [["1e300"], ["-1e13"], [1e300], [10**15], ["Infinity"]])
def test_bad_input_number_that_nothing_costs(values: list[Any]) -> None:
    assert reasons("unit_price", X, values) == ["unparsable_number"]


@pytest.mark.parametrize("values", [[["kim"]], [{"id": "kim"}]])
def test_bad_input_list_or_object_as_an_id_is_named(values: list[Any]) -> None:
    with pytest.raises(SourceError, match=r"column 'x' holds .* which is no text"):
        mapped({**EVENT, "identifier": X}, {"x": values})
