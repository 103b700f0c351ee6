"""A call for content over HTTP, under the rules of the tool that makes it.

A bounded time in all, no redirects, only 2xx is success; answers are cached by URL, not by person,
and not when they are over 1 MB.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import orjson
import requests
import urllib3

from connectors.http import LOOPBACK_HOSTS
from connectors.sandbox.rules import BRAZE, Rules

SHORTEST_CACHE_S, LONGEST_CACHE_S = 300, 4 * 3600
LARGEST_CACHED_BYTES = 1_000_000
LARGEST_ANSWER_BYTES = 8_000_000
CACHED_ANSWERS = 10_000
ATTEMPTS = 5  # of a call with ``:retry``
FAILURE = ""

# Told of each call: method, URL without query, status or None, seconds, bytes, what went wrong.
Observer = Callable[[str, str, int | None, float, int, str], None]


@dataclass(frozen=True)
class Call:
    """One rendered ``connected_content`` tag, or one call of a feed. ``credential`` is (user name,
    password)."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    content_type: str | None = None
    credential: tuple[str, str] | None = None
    cache_max_age_s: int | None = None
    no_cache: bool = False
    retry: bool = False
    rules: Rules = BRAZE

    @property
    def cache_s(self) -> int:
        """How long the answer may be used for others; 0: not at all."""
        if self.no_cache or (self.method == "POST" and self.cache_max_age_s is None):
            return 0
        if self.cache_max_age_s is None:
            return self.rules.cache_s
        return min(max(self.cache_max_age_s, SHORTEST_CACHE_S), LONGEST_CACHE_S)


class CallFailedError(Exception):
    """No 2xx answer in time; the text says why."""


class Fetcher:
    """Thread-safe. ``open_hosts`` ("host:port") may be called on any port, like this machine."""

    def __init__(
        self,
        *,
        open_hosts: Collection[str] = (),
        observe: Observer = lambda *_: None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._open_hosts = frozenset(open_hosts)
        self._observe = observe
        self._monotonic = monotonic
        self._sleep = sleep
        self._cache: OrderedDict[tuple[str, str, str], tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._local = threading.local()

    def fetch(self, call: Call) -> Any:
        """What came: an object for JSON, else text, "" on failure.

        Raises CallFailedError when a failed call means no message: by ``retry`` or by the rules.
        """
        key = (call.method, call.url, call.body or "")
        if call.cache_s:
            with self._lock:
                expires_at, value = self._cache.get(key, (0.0, None))
            if self._monotonic() < expires_at:
                return value
        try:
            value, size = self._try(call)
        except CallFailedError:
            if call.retry or call.rules.skips:
                raise
            return FAILURE
        if call.cache_s and size <= LARGEST_CACHED_BYTES:
            self._remember(key, value, call.cache_s)
        return value

    def _remember(self, key: tuple[str, str, str], value: Any, seconds: int) -> None:
        with self._lock:
            self._cache[key] = (self._monotonic() + seconds, value)
            self._cache.move_to_end(key)
            while len(self._cache) > CACHED_ANSWERS:
                self._cache.popitem(last=False)

    def _try(self, call: Call) -> tuple[Any, int]:
        attempts = ATTEMPTS if call.retry else call.rules.attempts
        for attempt in range(1, attempts):
            try:
                return self._once(call)
            except CallFailedError:
                self._sleep(call.rules.pause_s * 2.0 ** (attempt - 1))
        return self._once(call)

    def _once(self, call: Call) -> tuple[Any, int]:
        started = time.monotonic()
        status: int | None = None
        size, note = 0, ""
        try:
            self._check_address(call)
            status, content = self._exchange(call, started + call.rules.budget_s)
            size = len(content)
            if not 200 <= status < 300:
                raise CallFailedError(f"HTTP {status}")
            return _parse(content, status), size
        except CallFailedError as error:
            note = str(error)
            raise
        finally:
            self._observe(
                call.method,
                _without_query(call.url),
                status,
                time.monotonic() - started,
                size,
                note,
            )

    def _check_address(self, call: Call) -> None:
        ports = call.rules.ports
        try:
            parts = urlsplit(call.url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise CallFailedError("not a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CallFailedError("not a URL of http or https")
        local = parts.hostname in LOOPBACK_HOSTS or f"{parts.hostname}:{port}" in self._open_hosts
        if ports is not None and not local and port not in ports:
            only = " and ".join(str(each) for each in sorted(ports))
            raise CallFailedError(f"port {port}: only {only} are called")

    def _exchange(self, call: Call, deadline: float) -> tuple[int, bytes]:
        try:
            with self._session().request(
                call.method,
                call.url,
                data=_encode(call),
                headers=_headers(call),
                auth=call.credential,
                timeout=call.rules.budget_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = bytearray()
                while piece := response.raw.read1(65_536, decode_content=False):
                    content += piece
                    if len(content) > LARGEST_ANSWER_BYTES:
                        raise CallFailedError("the answer is too large")
                    if time.monotonic() > deadline:
                        break
                status = response.status_code
        except requests.exceptions.Timeout:
            raise CallFailedError(_too_late(call)) from None
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,  # a header or URL that http.client refuses
        ):
            raise CallFailedError("the connection failed") from None
        if time.monotonic() > deadline:
            raise CallFailedError(_too_late(call))
        return status, bytes(content)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc of the machine
        return session


def _too_late(call: Call) -> str:
    return f"no answer within {call.rules.budget_s:g} s"


def _headers(call: Call) -> dict[str, str]:
    headers = {"User-Agent": call.rules.user_agent, "Accept-Encoding": "identity", "Accept": "*/*"}
    if call.method == "POST":
        headers["Content-Type"] = call.content_type or "application/x-www-form-urlencoded"
    elif call.content_type:
        headers["Accept"] = call.content_type
    return {**headers, **call.headers}


def _encode(call: Call) -> bytes | None:
    """``key=value`` pairs become JSON when the content type asks for it, as Braze does."""
    if call.method != "POST" or call.body is None:
        return None
    if call.content_type == "application/json":
        try:
            orjson.loads(call.body)
        except ValueError:
            return orjson.dumps(dict(parse_qsl(call.body, keep_blank_values=True)))
    return call.body.encode()


def _parse(content: bytes, status: int) -> Any:
    try:
        value = orjson.loads(content)
    except ValueError:
        return content.decode(errors="replace")
    if isinstance(value, dict):
        value["__http_status_code__"] = status
    return value if isinstance(value, (dict, list)) else content.decode(errors="replace")


def _without_query(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return "(not a URL)"
