"""Removes everything that Redis knows about one person."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from scoring.columns import CUSTOMER_HASH, EXTERNAL_ID
from scoring.store.client import Client
from scoring.store.keys import Keys, bucket, customer_hash, identifier_text
from scoring.store.recent import RecentEvents
from settings.secret import all_of

PENDING_S = 30 * 86_400  # a month, in which the law wants it done (GDPR, article 12.3)


class PendingErasures:
    """Whose erasure was asked for and is not done: jobs carry the reference, not the person, whom
    a queue would keep for longer. Methods raise redis.RedisError."""

    def __init__(self, client: Client, workspace: str) -> None:
        self._client: Any = client
        self._keys = Keys(workspace)

    def add(self, customer: str) -> str:
        """Returns the reference."""
        reference = secrets.token_hex(16)
        raw = customer.encode("utf-8", "surrogatepass")
        self._client.set(self._keys.erasing(reference), raw, ex=PENDING_S)
        return reference

    def customer(self, reference: str) -> str | None:
        """None when it is done."""
        raw = self._client.get(self._keys.erasing(reference))
        return None if raw is None else str(raw.decode("utf-8", "surrogatepass"))

    def done(self, reference: str) -> None:
        """Forgets the person."""
        self._client.delete(self._keys.erasing(reference))


def erase(
    client: Client, workspace: str, secret: bytes, identifiers: Collection[tuple[str, str]]
) -> int:
    """Removes customer and alias records of all generations, recent events, messages sent, device
    links and queued events of these (kind, identifier) pairs: give all identifiers of the person.

    Returns how many entries went. Raises redis.RedisError; then call it again.
    """
    keys = Keys(workspace)
    server: Any = client
    hashes = erased_hashes(workspace, secret, identifiers)
    generations = [name.decode() for name in server.hkeys(keys.generations)]
    pipe = server.pipeline(transaction=False)
    for customer in hashes:
        for generation in generations:
            pipe.hdel(keys.customers(generation, bucket(customer)), customer)
        pipe.unlink(keys.recent(customer))
        pipe.unlink(keys.sent(customer))
        pipe.unlink(keys.taps(customer))
        pipe.unlink(keys.alias(customer))
    removed = sum(pipe.execute())
    queued = {*identifiers, *((CUSTOMER_HASH, customer.hex()) for customer in hashes)}
    return removed + RecentEvents(client, workspace, secret).forget(queued)


def erased_hashes(
    workspace: str, secret: bytes, identifiers: Collection[tuple[str, str]]
) -> list[bytes]:
    """Customer hashes of these identifiers (what Publisher.publish takes as ``without``), under
    the secret and under those before it."""
    # an external id may itself be written as kind:identifier, if it is a customer id of ours
    texts = {identifier_text(kind or EXTERNAL_ID, identifier) for kind, identifier in identifiers}
    return [
        customer_hash(each, workspace, text) for each in all_of(secret) for text in sorted(texts)
    ]
