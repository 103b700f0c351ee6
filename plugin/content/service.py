"""One content call: read, pick, compose, note. Whatever is wrong behind it, there is an answer."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from plugin import logs
from plugin.content.answer import compose, decision_id
from plugin.content.asked import (
    ERROR,
    NO_SNAPSHOT,
    OVERLOADED,
    RATE_LIMITED,
    STORE_UNAVAILABLE,
    Asked,
    Picked,
)
from plugin.content.call import Call
from plugin.content.picking import picked
from plugin.content.policy import NOTHING_TO_SAY, withhold
from plugin.decisions import Decision
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


def answered(runtime: Runtime, here: Workspace, call: Call, customer: str, key_id: str) -> bytes:
    """The answer to ``call`` of this key about the customer of this id (empty: nobody), as JSON
    text: the way in for every content call, however it came."""
    if call.unknown:
        tell_unknown(runtime, here, call)
    refused = turned_away(runtime, key_id)
    if refused is not None:
        return respond_without_store(runtime, here, call, customer, refused)
    return respond(runtime, here, call, customer)


def turned_away(runtime: Runtime, key_id: str) -> str | None:
    """Why this call must be answered without the store, one of REASONS; None: it may ask. Counts
    the call: ask once."""
    if runtime.pressure.overloaded():
        return OVERLOADED
    return None if runtime.limits.allow(key_id) else RATE_LIMITED


def tell_unknown(runtime: Runtime, here: Workspace, call: Call) -> None:
    """Counts and, seldom, logs that ``call`` came with parameters that mean nothing here."""
    runtime.metrics.unknown_parameter(call.kind.name)
    logs.seldom(
        "unknown parameter",
        workspace=here.settings.workspace,
        kind=call.kind.name,
        names=call.unknown,
    )


def respond(runtime: Runtime, here: Workspace, call: Call, customer: str) -> bytes:
    """As answered(), for a call that may ask the store."""
    started = time.perf_counter()
    chosen = choose(here, call, customer or None)
    try:
        body = _composed(runtime, here, call, chosen)
    except Exception:  # noqa: BLE001 - such as a record that names items that are not there
        logs.fault("content", call)
        chosen = _blind(here, call, chosen.customer, ERROR)
        body = _composed(runtime, here, call, chosen)
    _counted(runtime, call, chosen.picked, time.perf_counter() - started)
    return body


def respond_without_store(
    runtime: Runtime, here: Workspace, call: Call, customer: str, reason: str
) -> bytes:
    """The best non-personal answer, of what this process knows anyway. Who is held out of the
    campaign needs no store."""
    started = time.perf_counter()
    chosen = choose_without_store(here, call, customer, reason)
    body = _composed(runtime, here, call, chosen)
    _counted(runtime, call, chosen.picked, time.perf_counter() - started)
    return body


def choose_without_store(here: Workspace, call: Call, customer: str, reason: str) -> Chosen:
    """As choose(), of what this process knows; ``reason``: one of REASONS."""
    return _blind(here, call, here.reader.hash_of(customer) if customer else None, reason)


def choose(here: Workspace, call: Call, customer: str | bytes | None) -> Chosen:
    """Read and pick, for a customer id or a hash; whatever goes wrong gives the best content known
    without the store."""
    wanted = here.reader.hash_of(customer) if isinstance(customer, str) else customer
    try:
        return _chosen(here, call, wanted, _read(here, customer))
    except StoreUnavailable as trouble:
        logs.seldom(
            "content without store", reason=trouble.reason, workspace=here.settings.workspace
        )
        reason = NO_SNAPSHOT if trouble.reason == NO_SNAPSHOT else STORE_UNAVAILABLE
        return _blind(here, call, wanted, reason)
    except Exception:  # noqa: BLE001 - a message that goes out blank is worse than one that is not personal
        logs.fault("content", call)
        return _blind(here, call, wanted, ERROR)


def _counted(runtime: Runtime, call: Call, picked: Picked, seconds: float) -> None:
    runtime.metrics.content(call.kind.name, seconds, picked.reason, picked.send_reason)
    if seconds > logs.SLOW_S:
        logs.slow(seconds, kind=call.kind.name, reason=picked.reason)


def _read(here: Workspace, customer: str | bytes | None) -> Reading:
    """A block of decisions travels along when one is due."""
    taken = here.decisions.take()
    if taken is None:
        return here.reader.read(customer)
    carried = False
    try:
        reading = here.reader.read(customer, taken)
        carried = reading.carried
        return reading
    finally:
        (here.decisions.sent if carried else here.decisions.failed)(taken)


def _composed(runtime: Runtime, here: Workspace, call: Call, chosen: Chosen) -> bytes:
    """The answer's text; the decision is noted."""
    decision = decision_id(runtime, here, call, chosen)
    body = compose(runtime, here, call, chosen, decision)
    note(here, call, chosen, decision)
    return body


def note(here: Workspace, call: Call, chosen: Chosen, decision: bytes) -> None:
    """Puts what was decided into the log; ``decision``: its decision_id()."""
    found, published = chosen.picked, chosen.reading.published
    here.decisions.add(
        Decision(
            decision_id=decision.hex(),
            at_s=here.now().timestamp(),
            kind=call.kind.name,
            campaign=call.campaign,
            channel=call.arguments.get("channel", ""),
            customer=chosen.customer or b"",
            snapshot=published.snapshot,
            policy=call.kind.name,
            arm=found.arm,
            reason=found.reason,
            send=found.send,
            send_reason=found.send_reason,
            numbers=[entry[0] for entry in found.entries],
            scores=[entry[1] for entry in found.entries],
            published=published,
        )
    )


def _chosen(here: Workspace, call: Call, customer: bytes | None, reading: Reading) -> Chosen:
    asked = Asked(reading, call.arguments, here.settings, here.now(), call.limit)
    return Chosen(reading, picked(call.kind, asked), customer, created_at(reading))


def _blind(here: Workspace, call: Call, customer: bytes | None, reason: str) -> Chosen:
    reading = Reading(here.reader.fallback(), customer)
    try:
        chosen = _chosen(here, call, customer, reading)
    except Exception:  # noqa: BLE001 - what is damaged may be what this process holds
        logs.fault("content without store", call)
        nothing = Picked([], send=False, send_reason=NOTHING_TO_SAY)
        chosen = Chosen(reading, nothing, customer, None)
    chosen.picked.reason = reason
    withhold(chosen.picked, call.arguments, here.settings.send)
    return chosen


def created_at(reading: Reading) -> datetime | None:
    """When the night of this reading was."""
    found = reading.published.meta.get("created_at")
    return datetime.fromisoformat(found) if found else None
