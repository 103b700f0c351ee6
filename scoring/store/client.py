"""The one place where Redis clients are made.

redis-py retries ten times by default: with a hung server one call takes six seconds. The
send-time client never retries and gives up after 0.15 s; the other one may wait.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from scoring.store.errors import StoreUrlError
from scoring.store.keys import QUEUE_PREFIX

Client: TypeAlias = "redis.Redis | RedisCluster"

CONNECT_TIMEOUT_S = 0.1  # send time
ANSWER_TIMEOUT_S = 0.15  # send time
PATIENT_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 64  # a process
SCHEMES = {
    "redis": "redis", "rediss": "rediss", "unix": "unix",
    "valkey": "redis", "valkeys": "rediss",
    "redis+cluster": "redis", "rediss+cluster": "rediss",
    "valkey+cluster": "redis", "valkeys+cluster": "rediss",
}  # fmt: skip


def connect(url: str, *, send_time: bool = False, within_s: float | None = None) -> Client:
    """A thread-safe client with a bounded connection pool; opens no connection yet.

    ``within_s``: it waits no longer for an answer and asks a server that hangs only once, for a
    web process whose caller will ask again.

    Raises StoreUrlError for a URL that cannot be used.
    """
    scheme, address = _address(url)
    options = _send_time_options() if send_time else _patient_options()
    if within_s is not None:
        options |= _bounded_options(within_s)
    try:
        if scheme.endswith("+cluster"):
            redis.connection.parse_url(address)
            return cast("RedisCluster", _Cluster(address, options))
        pool = redis.ConnectionPool.from_url(address, **options)
        return redis.Redis(connection_pool=pool)
    except ValueError as problem:
        raise StoreUrlError(f"{_without_password(url)}: {problem}") from None


def round_trip(client: Client, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Sends commands at once and returns their raw answers (RESP2), in order.

    What a pipeline does, in half the time: a content call is little more than this. Raises
    redis.RedisError, the first answer's error if several failed.
    """
    if not isinstance(client, redis.Redis):
        pipe = client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return list(pipe.execute())
    connection = client.connection_pool.get_connection()
    answers: list[Any] = []
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        for _command in commands:
            try:
                answers.append(connection.read_response())
            except redis.ResponseError as problem:  # an answer, too: the next one follows
                answers.append(problem)
    except BaseException:
        connection.disconnect()  # or the next call would read our answers
        raise
    finally:
        client.connection_pool.release(connection)
    for answer in answers:
        if isinstance(answer, redis.ResponseError):
            raise answer
    return answers


def queue_server(client: Client) -> redis.Redis:
    """A client of the one server that holds the job queue.

    The queue's scripts touch several keys at once, which a cluster allows within one slot only:
    its keys share a hash tag, and this is the node that holds its slot now.
    """
    if isinstance(client, redis.Redis):
        return client
    node = client.get_node_from_key(QUEUE_PREFIX)
    return client.get_redis_connection(node)


class _Cluster:
    """A cluster client that is made when it is first used: redis-py asks the cluster for its
    slots at once, and a web worker must start while Redis is away."""

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self._address = address
        self._options = options
        self._lock = threading.Lock()
        self._client: RedisCluster | None = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
        return getattr(self._client, name)

    def __enter__(self) -> _Cluster:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._client is not None:
            self._client.close()

    def _connect(self) -> RedisCluster:
        try:
            return RedisCluster.from_url(
                self._address,
                require_full_coverage=False,  # half a cluster still answers for its customers
                **self._options,
            )
        except RedisClusterException as problem:  # which is no RedisError
            raise redis.ConnectionError(str(problem)) from problem


def _address(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        shown = f"{scheme}://…" if separator else "a text without ://"
        raise StoreUrlError(f"redis URL: found {shown}, expected {known} or embedded")
    try:
        parts = urlsplit(f"{SCHEMES[scheme]}://{rest}")
        usable = parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # what was found may be a part of the password
        raise StoreUrlError(
            f"redis URL {scheme}://…: the port is no number from 1 to 65535, "
            f"expected {scheme}://:password@host:port/0"
        )
    if scheme == "unix" and not parts.path:
        raise StoreUrlError("redis URL unix://: found no path, expected unix:///path/to/socket")
    if scheme != "unix" and not parts.hostname:
        raise StoreUrlError(f"redis URL {scheme}://…: found no host, expected {scheme}://host:port")
    return scheme, f"{SCHEMES[scheme]}://{rest}"


def _without_password(url: str) -> str:
    return f"redis URL {url.partition('://')[0]}://…"


def _send_time_options() -> dict[str, Any]:
    return _common_options() | {
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }


def _patient_options() -> dict[str, Any]:
    return _common_options() | {
        "socket_connect_timeout": 2.0,
        "socket_timeout": PATIENT_TIMEOUT_S,
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        "health_check_interval": 30,
    }


def _bounded_options(within_s: float) -> dict[str, Any]:
    return {
        "socket_connect_timeout": min(within_s, 2.0),
        "socket_timeout": within_s,
        # a connection that a restart has cut is worth a second try, a silence is not
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    }


def _common_options() -> dict[str, Any]:
    """RESP2 and no driver info: a new connection costs no extra round trip."""
    return {"protocol": 2, "driver_info": None, "max_connections": MAX_CONNECTIONS}
