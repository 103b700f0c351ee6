"""Key names and customer hashes: the whole Redis layout, once.

Every key starts with ``rs:`` and a hash tag, so that Redis Cluster spreads a workspace over its
nodes and the keys of one bucket of customers stay together.

| key | type | holds | lives |
|---|---|---|---|
| rs:{W}:pointer | string | JSON: generation, snapshot, previous | snapshot's ttl |
| rs:{W}:generations | hash | generation → JSON: what was or is being published | refreshed |
| rs:{W}:meta:G | string | JSON: snapshot's meta.json and the layout of generation G | ttl |
| rs:{W:iN}:items:G | string | N-th chunk of the item catalogue | ttl |
| rs:{W:iN}:related:G | string | related records of the same items | ttl |
| rs:{W:BBB}:c:G | hash | customer hash → customer or alias record; BBB is its bucket | ttl |
| rs:{W:BBB}:r:H | zset | last events of customer H | 7 days, 90 with a purchase or cart |
| rs:{W:BBB}:t:H | zset | landing pages opened and links followed as customer H | 2 days |
| rs:{W:BBB}:s:H | zset | messages sent to customer H, where there is a fatigue cap | 14 days |
| rs:{W:BBB}:a:H | string | the customer (hash) that device H belongs to, since when | 30 days |
| rs:{W}:events | stream | events on their way to the lake | until acknowledged |
| rs:{W}:decisions | stream | blocks of decisions on their way to the lake | until acknowledged |
| rs:{W}:live | string | counter: goes up with each change of a live item | for ever |
| rs:{W}:live:items | hash | item id → JSON: its stock, price, withdrawal by now | next night |
| rs:{W}:live:order | zset | item id by the counter at its last change | next night |
| rs:{W}:live:base | string | the counter when items were last dropped | for ever |
| rs:{W}:live:lake | string | the counter up to which the lake has live items | for ever |
| rs:{W}:live:pause | string | there: the lake got live items a moment ago | 15 minutes |
| rs:{W}:segment:ID | hash | a segment job | 30 days |
| rs:{W}:segments | zset | ids of segment jobs by time | 30 days |
| rs:{W}:once:DIGEST | string | id of the job made with an Idempotency-Key | 1 day |
| rs:{W}:lock:NAME | string | a lock's token | its ttl |
| rs:{queue}:clock | string | Unix time of the clock process's last sign of life | 10 minutes |
| rs:{W}:erasing:REF | string | who is to be erased | until it is done |
| rs:{W}:limit:KEY:MINUTE | string | administrative calls of an API key | 2 minutes |

A generation is one act of publishing: publishing the same snapshot twice never writes over what
readers see. Redis holds keyed hashes instead of customer identifiers; the exceptions are the
stream, because the lake needs the identifier, and erasures under way. The worker empties both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import blake2b

from scoring.columns import EXTERNAL_ID

HASH_BYTES = 12
BUCKETS = 4096
PREFIX = "rs:"
QUEUE_PREFIX = "rs:{queue}"  # the job queue's keys: one slot of a cluster
CLOCK = f"{QUEUE_PREFIX}:clock"
CLOCK_TTL_S = 600


@lru_cache(maxsize=256)
def _workspace_key(secret: bytes, workspace: str) -> bytes:
    return blake2b(workspace.encode(), key=secret[:64], digest_size=32).digest()


def customer_hash(secret: bytes, workspace: str, identifier: str) -> bytes:
    """Keyed BLAKE2b of a customer id, 12 bytes; different in every workspace and installation."""
    key = _workspace_key(secret, workspace)
    text = identifier.encode("utf-8", "surrogatepass")
    return blake2b(text, key=key, digest_size=HASH_BYTES).digest()


def hasher(secret: bytes | None, workspace: str) -> Callable[[str], bytes] | None:
    """customer_hash of one workspace; None without a secret."""
    return partial(customer_hash, secret, workspace) if secret else None


def identifier_text(kind: str, identifier: str) -> str:
    """How an identifier is written as a customer id: external ids as they are, others with their
    kind (``device_id:4f2a``); the same rule names customers without an external id."""
    return identifier if kind == EXTERNAL_ID else f"{kind}:{identifier}"


def bucket(customer: bytes) -> int:
    """The customer's bucket, 0 … 4095: the first 12 bits of the hash."""
    return (customer[0] << 4) | (customer[1] >> 4)


class Keys:
    """Key names of one workspace."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self._tag = f"{PREFIX}{{{workspace}}}:"
        self.open = f"{PREFIX}{{{workspace}:"  # of the keys of a bucket, or of a chunk of items
        self.pointer = f"{self._tag}pointer"
        self.generations = f"{self._tag}generations"
        self.stream = f"{self._tag}events"
        self.decisions = f"{self._tag}decisions"
        self.segments = f"{self._tag}segments"
        self.live = f"{self._tag}live"
        self.live_items = f"{self._tag}live:items"
        self.live_order = f"{self._tag}live:order"
        self.live_base = f"{self._tag}live:base"
        self.live_pause = f"{self._tag}live:pause"
        self.live_lake = f"{self._tag}live:lake"

    def meta(self, generation: str) -> str:
        return f"{self._tag}meta:{generation}"

    def items(self, generation: str, chunk: int) -> str:
        return f"{self.open}i{chunk}}}:items:{generation}"

    def related(self, generation: str, chunk: int) -> str:
        return f"{self.open}i{chunk}}}:related:{generation}"

    def customers(self, generation: str, number: int) -> str:
        """The hash that holds bucket ``number`` of a generation."""
        return f"{self.open}{number:03x}}}:c:{generation}"

    def record_and_recent(self, generation: str, customer: bytes) -> tuple[bytes, bytes]:
        """customers() of the customer's bucket and recent(), as they travel."""
        name = customer.hex()
        slot = f"{self.open}{name[:3]}}}:"
        return f"{slot}c:{generation}".encode(), f"{slot}r:{name}".encode()

    def recent(self, customer: bytes) -> str:
        return f"{self.open}{customer.hex()[:3]}}}:r:{customer.hex()}"

    def sent(self, customer: bytes) -> str:
        return f"{self.open}{customer.hex()[:3]}}}:s:{customer.hex()}"

    def alias(self, customer: bytes) -> str:
        return f"{self.open}{customer.hex()[:3]}}}:a:{customer.hex()}"

    def taps(self, customer: bytes) -> str:
        return f"{self.open}{customer.hex()[:3]}}}:t:{customer.hex()}"

    def segment(self, segment_id: str) -> str:
        return f"{self._tag}segment:{segment_id}"

    def once(self, idempotency_key: str) -> str:
        digest = blake2b(idempotency_key.encode("utf-8", "surrogatepass"), digest_size=16)
        return f"{self._tag}once:{digest.hexdigest()}"

    def lock(self, name: str) -> str:
        return f"{self._tag}lock:{name}"

    def erasing(self, reference: str) -> str:
        return f"{self._tag}erasing:{reference}"

    def limit(self, key_id: str, minute: int) -> str:
        return f"{self._tag}limit:{key_id}:{minute}"

    def generation(self, generation: str, chunks: int) -> list[str]:
        """Every key that a generation may have, the meta key last."""
        return [
            *(self.customers(generation, number) for number in range(BUCKETS)),
            *(key(generation, n) for n in range(chunks) for key in (self.items, self.related)),
            self.meta(generation),
        ]
