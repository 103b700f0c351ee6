"""Whose device is it, and what is known of that person: one round trip, by a script on the server.

A device (or an alias, an e-mail's hash) leads to a customer by its live link (see links.py), which
an unlink takes away, or by its alias record in the snapshot. The script follows that and answers
with the customer's record and both lists of recent events as one. The keys lie in several slots: on
a cluster the caller follows the link itself, with one more round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any, NamedTuple

from scoring.store.errors import RecordError
from scoring.store.keys import HASH_BYTES, Keys, bucket
from scoring.store.links import LUA

_LINKS = 3  # how far an identifier may be from its customer: a device's customer may be merged

# KEYS: link, recent list, bucket; ARGV: hash, start of our keys, generation, events, sends
_SCRIPT = f"""{LUA}
local me, open, generation = ARGV[1], ARGV[2], ARGV[3]
local function slot(hash)
  local hex = hash:gsub('.', function(byte) return string.format('%02x', byte:byte()) end)
  return open .. hex:sub(1, 3) .. '}}:', hex
end
local function alias(record)
  return record and #record == {HASH_BYTES + 1} and record:byte(1) == 0x81 and record:sub(2)
end
local lists = {{KEYS[2]}}
local record = redis.call('HGET', KEYS[3], me)
local link = redis.call('GET', KEYS[1])
link = link and owner_of(link)
if link == '' then
  record, link = not alias(record) and record, false
else
  link = link or alias(record)
end
for _ = 1, {_LINKS} do
  if not link or link == me then break end
  me = link
  local start, hex = slot(me)
  record = redis.call('HGET', start .. 'c:' .. generation, me)
  lists[#lists + 1] = start .. 'r:' .. hex
  link = alias(record)
end
if alias(record) then record = false end
local sends = {{}}
if ARGV[5] ~= '0' then
  local start, hex = slot(me)
  sends = redis.call('ZRANGE', start .. 's:' .. hex, 0, ARGV[5] - 1, 'REV', 'WITHSCORES')
end
if #lists == 1 then
  return {{me, record, redis.call('ZRANGE', lists[1], 0, ARGV[4] - 1, 'REV'), sends}}
end
local count = #lists
lists[count + 1], lists[count + 2] = 'AGGREGATE', 'MAX'
local all = redis.call('ZUNION', count, unpack(lists))
local newest = {{}}
for at = #all, 1, -1 do newest[#newest + 1] = all[at] end
return {{me, record, newest, sends}}
"""
_DIGEST = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Person(NamedTuple):
    """``customer``: hash of who it is in the end; ``record``: packed, of that customer, None if
    the snapshot knows none; ``recent``: packed recent events, newest first; ``sent``: when messages
    were sent, in seconds since 1970, newest first."""

    customer: bytes
    record: bytes | None
    recent: list[bytes]
    sent: tuple[float, ...] = ()


def person_command(
    keys: Keys, generation: str, customer: bytes, events: int, *, sends: int = 0, load: bool = False
) -> tuple[Any, ...]:
    """The command that reads the person behind ``customer`` (a hash) with at most ``events``
    recent events of each list that is theirs and ``sends`` messages; ``load`` brings the script
    along, after an answer NOSCRIPT."""
    return (
        *(("EVAL", _SCRIPT) if load else ("EVALSHA", _DIGEST)),
        3,
        keys.alias(customer),
        keys.recent(customer),
        keys.customers(generation, bucket(customer)),
        customer,
        keys.open,
        generation,
        events,
        sends,
    )


def parse_person(answer: Any) -> Person:
    """Raises RecordError for what is no answer of the script."""
    match answer:
        case [bytes() as customer, (bytes() | None) as record, list() as recent, list() as sends]:
            if len(customer) == HASH_BYTES:
                return Person(customer, record, recent, parse_sent(sends))
    raise RecordError("the store's answer about a person is none")


def sent_command(keys: Keys, customer: bytes, sends: int) -> tuple[Any, ...]:
    """The command that reads when the last messages were sent to a customer."""
    return ("ZRANGE", keys.sent(customer), 0, sends - 1, "REV", "WITHSCORES")


def parse_sent(answer: Sequence[bytes]) -> tuple[float, ...]:
    """Seconds since 1970, newest first. Raises RecordError for what is no answer of it."""
    try:
        return tuple(map(float, answer[1::2]))
    except (TypeError, ValueError):
        raise RecordError("the store's answer about messages sent is none") from None
