"""Braze Currents as Avro files, in a folder or in object storage: one event type a file.

A new file comes every five minutes or 15,000 events, and the same event may come twice.
https://www.braze.com/docs/user_guide/data_and_analytics/braze_currents/event_delivery_semantics
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from connectors import places
from connectors.avro import AvroFile, BrokenFile
from connectors.braze import currents
from connectors.braze.currents import KEPT, Meaning, meaning
from connectors.inbound import EventBatch, EventFile
from settings import vocabulary as v

_OF_FOLDER = re.compile(r"event_type=([A-Za-z._]+)")
_OF_SCHEMA = re.compile(r"users\..*")  # dataexport.S3.inner.users.messages.email.Open
_ESCAPED = r'["\\\x00-\x1f]'  # what JSON text cannot hold as it is
_NUMBERS = ("time", "price")
_FLAGS = ("in_control_group", "machine_open", "is_suspected_bot_click")


def open_files(options: Mapping[str, Any], base: Path) -> list[EventFile]:
    """Every Avro file at or below ``options["path"]``, oldest first. Raises Unreadable."""
    return [
        EventFile(each.name, each.fingerprint, partial(_batches, each, options))
        for each in places.files(options["path"], base, suffix=".avro")
    ]


def _batches(found: places.Found, options: Mapping[str, Any]) -> Iterator[EventBatch]:
    content = found.read()
    try:
        file = AvroFile(content)
        kind = _event_type(found.name, file.name)
        means = meaning(kind, options)
        if means is None:
            yield EventBatch({}, unknown={kind: file.count()})
            return
        for records in file.records(currents.READ):
            yield _batch(pa.table(dict(records.columns)), kind, means)
    except BrokenFile as error:
        yield EventBatch({}, broken=str(error))


def _event_type(path: str, schema: str) -> str:
    """By the folder, as Braze names it, else by the schema's name."""
    named = _OF_FOLDER.search(path) or _OF_SCHEMA.search(schema)
    return (named[named.re.groups] if named else schema)[:100]


def _batch(records: pa.Table, kind: str, means: Meaning) -> EventBatch:
    records = _with_columns(records)
    word: Any = pa.repeat(means.word, records.num_rows)
    read = records.num_rows
    if means.word is None:
        values = pa.array(means.words, pa.string())
        found = pc.index_in(records[means.field], value_set=values)
        records, found = records.filter(found.is_valid()), found.drop_null()
        word = pa.array(means.words.values(), pa.string()).take(found)
    columns = _columns(records, means) | {v.EVENT_TYPE: word}
    skipped = read - records.num_rows
    return EventBatch(columns, unknown={kind: skipped} if skipped else {})


def _with_columns(records: pa.Table) -> pa.Table:
    """The same with nulls for each field that this version of the schema lacks, or has as
    another type."""
    columns = {}
    for name in currents.READ:
        found = records[name] if name in records.column_names else pa.nulls(records.num_rows)
        text = pa.types.is_string(found.type)
        usable = not text if name in _NUMBERS else text or name in _FLAGS
        column = found if usable else pa.nulls(records.num_rows)
        # a flag becomes true or false
        columns[name] = column.cast(pa.float64() if name in _NUMBERS else pa.string())
    return pa.table(columns)


def _columns(records: pa.Table, means: Meaning) -> dict[str, Any]:
    """What currents._event makes of one record, of all."""
    external, device, own = (
        _filled(records[name]) for name in ("external_user_id", "device_id", "user_id")
    )
    anonymous = pc.binary_join_element_wise(currents.ANONYMOUS, own, "")
    kind = pc.if_else(
        external.is_valid(),
        v.EXTERNAL_ID,
        pc.if_else(device.is_valid(), v.DEVICE_ID, pc.if_else(own.is_valid(), v.ALIAS, None)),
    )
    return {
        v.EVENT_ID: records["id"],
        v.OCCURRED_AT: records["time"],
        v.IDENTIFIER: pc.coalesce(external, device, anonymous),
        v.IDENTIFIER_KIND: kind,
        v.ITEM_ID: _items(records, means),
        v.UNIT_PRICE: pc.round(records["price"], currents.PRICE_DIGITS),
        v.CAMPAIGN_ID: pc.coalesce(_filled(records["campaign_id"]), records["canvas_id"]),
        v.CHANNEL: _channel(records, means),
        v.DEVICE_ID: device,
        v.PROPERTIES: _properties(records),
    }


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without empty texts."""
    return pc.if_else(pc.equal(column, ""), None, column)


def _items(records: pa.Table, means: Meaning) -> Any:
    if means.item is None:
        return pa.nulls(records.num_rows, pa.string())
    if means.item_property is None:
        return records[means.item]
    properties = records[means.item].to_pylist()
    return [currents.item_of(each, means.item_property) for each in properties]


def _channel(records: pa.Table, means: Meaning) -> Any:
    if means.channel_field:
        return _filled(records["channel"])
    if means.by_platform:
        return [currents.surface(each) for each in records["platform"].to_pylist()]
    return pa.repeat(pa.scalar(means.channel, pa.string()), records.num_rows)


def _properties(records: pa.Table) -> pa.ChunkedArray:
    """JSON objects of the kept fields that have a value; null without any."""
    members = []
    for name in KEPT:
        column = records[name]
        if column.null_count == records.num_rows:
            continue
        member = pc.binary_join_element_wise(f'"{name}":"', _escaped(column), '",', "")
        members.append(pc.coalesce(member, ""))
    if not members:
        return pa.nulls(records.num_rows, pa.string())
    inner = pc.utf8_rtrim(pc.binary_join_element_wise(*members, ""), ",")
    return pc.if_else(pc.equal(inner, ""), None, pc.binary_join_element_wise("{", inner, "}", ""))


def _escaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as it stands between the quotes of JSON."""
    if not pc.any(pc.match_substring_regex(column, _ESCAPED)).as_py():
        return column
    texts = [None if each is None else orjson.dumps(each)[1:-1] for each in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])
