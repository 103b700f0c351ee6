"""What a customer's recent list keeps: purchases and carts outlive what was only looked at.

One script on the server adds events and cuts the list, so that a reader takes the whole of it in
one ZRANGE: it never holds more than RECENT_EVENTS. Purchases and carts go first, the newest
MOST_KEPT of them in one row: a purchase that took an item out of the cart must not go before the
cart event. What was looked at (every other event) has the rest, never less than the difference.
An event that is older than its kind's life, seen from the newest event, goes as well; the list goes
with the last of them. Adding the same events again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from scoring.columns import CART, EVENT_TYPES, PURCHASE

RECENT_EVENTS = 64  # of one customer
MOST_KEPT = 50  # purchases and carts
MOST_LOOKS = 50  # everything else
KEPT_S = 90 * 86_400
LOOK_S = 7 * 86_400

# KEYS: list; ARGV: seconds since 1970, packed event, of each one to add. The second byte of a
# packed event is its type. A clock of a shop that is ahead makes nothing old: hence TIME.
_SCRIPT = f"""
local key, step = KEYS[1], 1000
for at = 1, #ARGV, step do
  redis.call('ZADD', key, unpack(ARGV, at, math.min(at + step - 1, #ARGV)))
end
local all = redis.call('ZRANGE', key, 0, -1, 'REV', 'WITHSCORES')
local now = math.min(tonumber(all[2]), tonumber(redis.call('TIME')[1]))
local kept, ttl, looks, gone = 0, 1, {{}}, {{}}
local function stays(age, life) ttl = math.max(ttl, math.ceil(life - math.max(age, 0))) end
for at = 1, #all, 2 do
  local member, age = all[at], now - tonumber(all[at + 1])
  local kind = member:byte(2)
  if kind == {EVENT_TYPES.index(PURCHASE)} or kind == {EVENT_TYPES.index(CART)} then
    if kept < {MOST_KEPT} and age <= {KEPT_S} then
      kept = kept + 1
      stays(age, {KEPT_S})
    else
      gone[#gone + 1] = member
    end
  else
    looks[#looks + 1] = {{member, age}}
  end
end
local most = math.min({MOST_LOOKS}, {RECENT_EVENTS} - kept)
for at, look in ipairs(looks) do
  if at <= most and look[2] <= {LOOK_S} then
    stays(look[2], {LOOK_S})
  else
    gone[#gone + 1] = look[1]
  end
end
for at = 1, #gone, step do
  redis.call('ZREM', key, unpack(gone, at, math.min(at + step - 1, #gone)))
end
redis.call('EXPIRE', key, ttl)
"""


def added(key: str, members: Mapping[bytes, float]) -> tuple[Any, ...]:
    """The command that adds packed events (→ seconds since 1970, at least one) to a list."""
    pairs = chain.from_iterable((at_s, raw) for raw, at_s in members.items())
    return ("EVAL", _SCRIPT, 1, key, *pairs)
