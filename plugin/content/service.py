"""One content call: read, pick, compose, note. Whatever is wrong behind it, there is an answer."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from plugin import logs
from plugin.content.answer import compose, decision_id
from plugin.content.asked import ERROR, NO_SNAPSHOT, STORE_UNAVAILABLE, Asked, Picked
from plugin.content.call import Call
from plugin.content.picking import picked
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


def respond(runtime: Runtime, here: Workspace, call: Call, customer: str) -> bytes:
    """The answer to ``call`` about the customer of this id (empty: nobody), as JSON text."""
    started = time.perf_counter()
    chosen = choose(here, call, customer or None)
    try:
        body = _composed(runtime, here, call, chosen)
    except Exception:  # noqa: BLE001 - such as a record that names items that are not there
        logs.fault("content", call)
        chosen = _blind(here, call, chosen.customer, ERROR)
        body = _composed(runtime, here, call, chosen)
    seconds, picked = time.perf_counter() - started, chosen.picked
    runtime.metrics.content(call.kind.name, seconds, picked.reason, picked.send_reason)
    if seconds > logs.SLOW_S:
        logs.slow(seconds, kind=call.kind.name, reason=picked.reason)
    return body


def respond_without_store(runtime: Runtime, here: Workspace, call: Call, reason: str) -> bytes:
    """The best non-personal answer, of what this process knows anyway."""
    chosen = _blind(here, call, None, reason)
    runtime.metrics.content(call.kind.name, 0.0, reason)
    return _composed(runtime, here, call, chosen)


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
        chosen = Chosen(reading, Picked([]), customer, None)
    chosen.picked.reason = reason
    return chosen


def created_at(reading: Reading) -> datetime | None:
    """When the night of this reading was."""
    found = reading.published.meta.get("created_at")
    return datetime.fromisoformat(found) if found else None
