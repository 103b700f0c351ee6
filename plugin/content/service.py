"""One content call: read, pick, compose, note. Whatever is wrong behind it, there is an answer."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from plugin.content.answer import compose
from plugin.content.asked import ERROR, NO_SNAPSHOT, STORE_UNAVAILABLE, Asked, Picked
from plugin.content.call import Call
from plugin.content.picking import picked
from plugin.logs import log
from plugin.runtime import Runtime, Workspace
from scoring.store.errors import StoreUnavailable
from scoring.store.reading import Reading


class Chosen(NamedTuple):
    """What was picked out of which reading; ``customer`` is the hash that was asked for, None for
    nobody; ``created_at`` the snapshot's time, None when there is none or it is not known."""

    reading: Reading
    picked: Picked
    customer: bytes | None
    created_at: datetime | None


def respond(runtime: Runtime, here: Workspace, call: Call, customer: str) -> bytes:
    """The answer to ``call`` about the customer of this id (empty: nobody), as JSON text."""
    started = time.perf_counter()
    wanted = here.reader.hash_of(customer) if customer else None
    chosen = choose(here, call, wanted)
    try:
        body = compose(runtime, here, call, chosen)
    except Exception:  # noqa: BLE001 - such as a record that names items that are not there
        log.exception("content", kind=call.kind.name, workspace=here.settings.workspace)
        chosen = _blind(here, call, wanted, ERROR)
        body = compose(runtime, here, call, chosen)
    runtime.metrics.content(call.kind.name, time.perf_counter() - started, chosen.picked.reason)
    return body


def respond_without_store(runtime: Runtime, here: Workspace, call: Call, reason: str) -> bytes:
    """The best non-personal answer, of what this process knows anyway."""
    chosen = _blind(here, call, None, reason)
    runtime.metrics.content(call.kind.name, 0.0, reason)
    return compose(runtime, here, call, chosen)


def choose(here: Workspace, call: Call, customer: bytes | None) -> Chosen:
    """Read and pick; whatever goes wrong gives the best content known without the store."""
    try:
        reading = here.reader.customer_by_hash(customer)
        return _chosen(here, call, customer, reading)
    except StoreUnavailable as trouble:
        reason = NO_SNAPSHOT if trouble.reason == NO_SNAPSHOT else STORE_UNAVAILABLE
        return _blind(here, call, customer, reason)
    except Exception:  # noqa: BLE001 - a message that goes out blank is worse than one that is not personal
        log.exception("content", kind=call.kind.name, workspace=here.settings.workspace)
        return _blind(here, call, customer, ERROR)


def _chosen(here: Workspace, call: Call, customer: bytes | None, reading: Reading) -> Chosen:
    asked = Asked(reading, call.arguments, here.settings, here.now(), call.limit)
    return Chosen(reading, picked(call.kind, asked), customer, created_at(reading))


def _blind(here: Workspace, call: Call, customer: bytes | None, reason: str) -> Chosen:
    reading = Reading(here.reader.fallback(), customer)
    try:
        chosen = _chosen(here, call, customer, reading)
    except Exception:  # noqa: BLE001 - what is damaged may be what this process holds
        log.exception("content without store", kind=call.kind.name)
        chosen = Chosen(reading, Picked([]), customer, None)
    chosen.picked.reason = reason
    return chosen


def created_at(reading: Reading) -> datetime | None:
    """When the night of this reading was."""
    found = reading.published.meta.get("created_at")
    return datetime.fromisoformat(found) if found else None
