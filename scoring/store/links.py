"""A device's live link: the customer that it belongs to now, and the moment that this is of.

Stored are the owner's hash, or nothing where the device was separated from its customer, and then
the moment: seconds since 1970, u32, little-endian. Links from before have no moment: anything that
is told is newer.
"""

from __future__ import annotations

import struct
from typing import Any

from scoring.store.keys import HASH_BYTES, Keys

NOBODY = b""  # the owner of a device that was separated from its customer
TTL_S = 30 * 86_400
_MOMENT = struct.Struct("<I")
_LENGTHS = (_MOMENT.size, HASH_BYTES + _MOMENT.size)

# of scripts: owner_of(link), moment_of(link)
LUA = f"""
local function dated(link) return #link == {_LENGTHS[0]} or #link == {_LENGTHS[1]} end
local function owner_of(link) return dated(link) and link:sub(1, -{_MOMENT.size + 1}) or link end
local function moment_of(link)
  return dated(link) and struct.unpack('<I4', link, #link - {_MOMENT.size - 1}) or 0
end
"""

# KEYS: a link; ARGV: what it becomes, seconds until it expires
_STORE = f"""{LUA}
local known = redis.call('GET', KEYS[1])
if known and moment_of(known) > moment_of(ARGV[1]) then return end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
"""


def pack_link(owner: bytes, at_s: int) -> bytes:
    """``owner``: a customer's hash or NOBODY; ``at_s``: whole seconds since 1970."""
    return owner + _MOMENT.pack(at_s)


def unpack_link(raw: bytes) -> tuple[bytes, int]:
    """Owner and moment, 0 where none was stored. Rubbish is an owner that nobody is."""
    if len(raw) not in _LENGTHS:
        return raw, 0
    (at_s,) = _MOMENT.unpack_from(raw, len(raw) - _MOMENT.size)
    return raw[: -_MOMENT.size], at_s


def link_command(keys: Keys, device: bytes, link: bytes) -> tuple[Any, ...]:
    """The command that stores a packed link, unless another process stored a newer one."""
    return ("EVAL", _STORE, 1, keys.alias(device), link, TTL_S)
