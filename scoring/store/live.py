"""Items as they are now: stock, price and withdrawal since the snapshot, said by the shop.

One entry an item, JSON: ``{"stock": [value, at_s], "price": […], "sellable": […], "got": s,
"back": [was_out, at_s]}``, each fact with the moment it is of, so that what arrives late never
undoes what is newer; ``got`` is when it was stored, ``back`` since when these facts let it be sold
and whether others forbade it before (entries from before have none). A counter goes up with each
change and the order says at which count an item changed last: who has seen count n asks for what
came after it. The base is the count of the last dropping.

Imported by web workers: no numpy, no pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from scoring.store.client import Client, round_trip
from scoring.store.errors import RecordError
from scoring.store.keys import Keys

FACTS = ("stock", "price", "sellable")
_ITEMS_A_TRIP = 100  # a script must not keep content calls waiting

_READ = """
local function read(key, item)
  local read, entry = pcall(cjson.decode, redis.call('HGET', key, item) or '{}')
  return read and type(entry) == 'table' and entry or {}
end
"""

# KEYS: counter, items, order; ARGV: got, then item id and JSON of the facts of each item
_STORE = f"""{_READ}
local function value(entry, fact)
  if type(entry[fact]) == 'table' then return entry[fact][1], entry[fact][2] end
end
-- whether it can be sold, and the newest moment of what says so; nil where nothing does
local function sold(entry)
  local stock, counted = value(entry, 'stock')
  local sellable, said = value(entry, 'sellable')
  if stock == nil and sellable == nil then return nil end
  return sellable ~= false and (tonumber(stock) or 1) > 0, math.max(counted or 0, said or 0)
end
local count = false
for i = 2, #ARGV, 2 do
  local entry = read(KEYS[2], ARGV[i])
  local newer, at = false, 0
  local could, since = sold(entry)
  for fact, told in pairs(cjson.decode(ARGV[i + 1])) do
    if not entry[fact] or told[2] >= entry[fact][2] then
      newer = newer or not entry[fact] or told[1] ~= entry[fact][1]
      entry[fact], at = told, told[2]
    end
  end
  if not sold(entry) then
    entry['back'] = nil
  elseif not could then
    entry['back'] = {{could == false, at}}
  elseif not entry['back'] then
    entry['back'] = {{false, since}}
  end
  entry['got'] = tonumber(ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[i], cjson.encode(entry))
  if newer then
    count = count or redis.call('INCR', KEYS[1])
    redis.call('ZADD', KEYS[3], count, ARGV[i])
  end
end
"""

# KEYS: counter, items, order, base; ARGV: highest count, stored before, item ids
_DROP = f"""{_READ}
local dropped = 0
for i = 3, #ARGV do
  local entry = read(KEYS[2], ARGV[i])
  local count = redis.call('ZSCORE', KEYS[3], ARGV[i])
  if count and tonumber(count) <= tonumber(ARGV[1])
      and (entry['got'] or 0) < tonumber(ARGV[2])
      and not (entry['sellable'] and entry['sellable'][1] == false) then
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('ZREM', KEYS[3], ARGV[i])
    dropped = dropped + 1
  end
end
if dropped > 0 then redis.call('SET', KEYS[4], redis.call('INCR', KEYS[1])) end
return dropped
"""


class LiveItem(NamedTuple):
    """What was said about an item, None where nothing was. ``stock`` in pieces, ``price`` in the
    workspace's currency, ``sellable`` false when it is withdrawn; ``at_s``: the newest moment of
    these, seconds since 1970. ``back_s``: since when these let it be sold (None: they do not, or
    it was said before this was kept), ``was_out``: others forbade it before."""

    stock: int | None
    price: float | None
    sellable: bool | None
    at_s: float
    back_s: float | None = None
    was_out: bool = False


class Changes(NamedTuple):
    """The ``counter`` now and the ``items`` that changed; ``whole``: they are all there are, and
    what was known before is to be forgotten."""

    counter: int
    items: dict[str, LiveItem]
    whole: bool


def changes(client: Client, keys: Keys, since: int) -> Changes:
    """What changed after count ``since`` (0: everything).

    It is the whole if items were dropped since, or if the store began anew. Raises
    redis.RedisError; an entry that is rubbish is left out.
    """
    numbers, ids = round_trip(client, [("MGET", keys.live, keys.live_base), _after(keys, since)])
    count, base = map(_count, numbers)
    whole = since < base or count < since
    if whole:
        (ids,) = round_trip(client, [_after(keys, 0)])
    found: dict[str, LiveItem] = {}
    remaining = iter(ids)
    while batch := list(islice(remaining, 1000)):
        (entries,) = round_trip(client, [("HMGET", keys.live_items, *batch)])
        for item_id, entry in zip(batch, entries, strict=True):
            live = _unpack(entry)
            if live is not None:
                found[item_id.decode("utf-8", "replace")] = live
    return Changes(count, found, whole)


def remember(
    client: Client, keys: Keys, items: Iterable[tuple[str, Mapping[str, Any], float]], got_s: float
) -> None:
    """Stores (item id, facts, moment in seconds since 1970) triples; ``facts`` holds some of FACTS.

    The same triple again changes nothing. Raises redis.RedisError; then some may be stored, and
    the same call may be repeated. Raises RecordError, with nothing stored, for what cannot be
    written as JSON.
    """
    arguments = [part for item_id, facts, at_s in items for part in _told(item_id, facts, at_s)]
    server: Any = client
    for start in range(0, len(arguments), 2 * _ITEMS_A_TRIP):
        part = arguments[start : start + 2 * _ITEMS_A_TRIP]
        server.eval(_STORE, 3, keys.live, keys.live_items, keys.live_order, got_s, *part)


def drop(client: Client, keys: Keys, *, up_to: int, got_before_s: float) -> int:
    """Takes out what the lake has (count at most ``up_to``) and a snapshot knows (stored before
    ``got_before_s``); returns how many. What is withdrawn stays until it is put on sale again: a
    source that knows nothing of it would bring it back."""
    server: Any = client
    ids = server.zrangebyscore(keys.live_order, "-inf", up_to)
    dropped = 0
    for start in range(0, len(ids), _ITEMS_A_TRIP):
        part = ids[start : start + _ITEMS_A_TRIP]
        where = (keys.live, keys.live_items, keys.live_order, keys.live_base)
        dropped += int(server.eval(_DROP, 4, *where, up_to, got_before_s, *part))
    return dropped


def _after(keys: Keys, count: int) -> tuple[Any, ...]:
    return ("ZRANGEBYSCORE", keys.live_order, f"({count}", "+inf")


def _count(raw: Any) -> int:
    try:
        return int(raw or 0)
    except ValueError:
        raise RecordError("the count of live items is no number") from None


def _told(item_id: str, facts: Mapping[str, Any], at_s: float) -> Iterator[bytes]:
    try:
        yield item_id.encode()
        moment = round(at_s, 3)  # what a script writes has 14 digits
        yield orjson.dumps({name: [value, moment] for name, value in facts.items()})
    except (UnicodeEncodeError, TypeError) as problem:
        raise RecordError(f"a live item cannot be written: {problem}") from None


def _unpack(raw: bytes | None) -> LiveItem | None:
    if raw is None:
        return None
    try:
        entry = orjson.loads(raw)
        values: Sequence[Any] = [entry.get(name, (None, 0.0)) for name in FACTS]
        (stock, _), (price, _), (sellable, _) = values
        was_out, back_s = entry.get("back", (False, None))
        return LiveItem(
            None if stock is None else int(stock),
            None if price is None else float(price),
            None if sellable is None else bool(sellable),
            max(float(at_s) for _, at_s in values),
            None if back_s is None else float(back_s),
            bool(was_out),
        )
    except (ValueError, TypeError, AttributeError):
        return None
