"""The one seam through which connectors speak HTTP.

TLS is verified, redirects are never followed, every wait is bounded, an answer is read up to a
limit, and what the tool says is treated as hostile: text from it is cleaned and stripped of our
secrets before anybody sees it.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, cast
from urllib.parse import SplitResult, urlsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from connectors.errors import Lost, Retry, Stop
from connectors.rate import UNKNOWN, Rate, read_rate, read_retry_after_s

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_REASON = 200
MOST_CONNECTIONS = 64  # kept open at a time
Pool = urllib3.HTTPConnectionPool
MOST_ROUTES = 50  # paths whose way is remembered; some hold an id
FIXED_HEADERS = {
    "Accept-Encoding": "identity",
    "Accept": "application/json",
    "User-Agent": "Rightsend",
}


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect, between two pieces of the answer, and for the whole answer."""

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 60.0

    @classmethod
    def of(cls, timeout_s: float) -> Timeouts:
        """What the option ``timeout_s`` of a connection means."""
        return cls(connect_s=min(5.0, timeout_s), read_s=timeout_s, total_s=2 * timeout_s)


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is the parsed JSON, None when it is not JSON."""

    status: int
    body: Any
    rate: Rate = UNKNOWN
    retry_after_s: float | None = None
    request_id: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The JSON object that came back; an empty one for anything else."""
        return as_object(self.body)


def as_object(value: object) -> dict[str, Any]:
    """What should be a JSON object; an empty one if it is none."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """What should be a list; an empty one if it is none."""
    return value if isinstance(value, list) else []


def _session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_connections=2, pool_maxsize=MOST_CONNECTIONS))
    session.mount("https://", HTTPAdapter(pool_connections=2, pool_maxsize=MOST_CONNECTIONS))
    return session


@dataclass(frozen=True)
class Client:
    """A host and how to be recognised there.

    ``secrets`` are removed from every text of the tool; ``headers`` may hold them, so neither is
    shown by repr. ``answer_bytes``: what the largest answer may have; a larger one is never taken.
    ``header_names``: X-RateLimit-* or Retry-After → what the tool calls it.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeouts: Timeouts = Timeouts()
    answer_bytes: int = 1_000_000
    header_names: Mapping[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=_session, repr=False)
    now: Callable[[], float] = time.time
    _routes: dict[str, tuple[Pool, str]] = field(default_factory=dict, repr=False, compare=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request to ``base_url + path``; ``body`` is JSON (``headers`` may call it by a
        tool's own media type).

        Raises Retry when the answer was lost (the tool may have done the work all the same), and
        Stop when no answer can be had: bad certificate, unusable address.
        """
        with self._exchange(method, path, body, params) as response:
            return self._answer(response)

    def save(self, path: str, target: IO[bytes]) -> int:
        """GET ``base_url + path`` into ``target`` if the status, which is returned, is 200.

        Raises like ``request``, and Stop when ``target`` cannot be written.
        """
        with self._exchange("GET", path) as response:
            if response.status == 200:
                for piece in self._pieces(response):
                    _write(target, piece)
            return response.status

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        host = urlsplit(self.base_url).hostname
        try:
            pool, url = self._route(path, params)
            # Straight to the pool: no redirects, no cookies, no .netrc, a third of the time.
            response = pool.urlopen(
                method,
                url,
                body=body,
                headers=self._headers(body),
                timeout=urllib3.Timeout(self.timeouts.connect_s, self.timeouts.read_s),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                yield response
            finally:
                response.close()  # read to its end, its connection is back in the pool already
        except urllib3.exceptions.SSLError:
            raise Stop(f"the certificate of {host} is not valid") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise Stop("the address of the tool is not a usable URL") from None
        except urllib3.exceptions.NewConnectionError:
            raise Retry(f"the connection to {host} failed", unsent=True) from None
        except urllib3.exceptions.TimeoutError as error:
            unsent = isinstance(error, urllib3.exceptions.ConnectTimeoutError)
            raise Retry(f"{host} did not answer in time", unsent=unsent) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise Retry(f"the connection to {host} failed") from None
        except ValueError:  # its text would show the key
            raise Stop("the key holds a character that no HTTP header can carry") from None

    def close(self) -> None:
        self.session.close()

    def reason(self, text: object) -> str:
        """Text of the tool, fit for a report: one short printable line without our secrets and
        people's e-mail addresses."""
        said = str(text)
        for secret in filter(None, self.secrets):  # before any cut, or a part of one would stay
            said = said.replace(secret, "[secret]")
        line = "".join(c if c.isprintable() else " " for c in said[: 10 * LONGEST_REASON])
        words = ["(address)" if "@" in word else word for word in line.split()]
        return " ".join(words)[:LONGEST_REASON] or "no reason given"

    def _route(self, path: str, params: Mapping[str, str] | None) -> tuple[Pool, str]:
        """The pool of connections to the host, or to the machine's proxy, and what to ask it for.

        Raises requests' InvalidURL or InvalidSchema.
        """
        if params is None and path in self._routes:
            return self._routes[path]
        url = self.base_url + path
        prepared = requests.Request("GET", url, params=params).prepare()
        # Proxies and certificates of the machine: right for a vendor, wrong for ourselves.
        self.session.trust_env = urlsplit(self.base_url).hostname not in LOOPBACK_HOSTS
        machine = self.session.merge_environment_settings(url, {}, None, None, None)
        adapter = cast("HTTPAdapter", self.session.get_adapter(url))
        pool = adapter.get_connection_with_tls_context(
            prepared, machine["verify"], machine["proxies"], machine["cert"]
        )
        route = cast("Pool", pool), adapter.request_url(prepared, machine["proxies"])
        if params is None and len(self._routes) < MOST_ROUTES:
            self._routes[path] = route
        return route

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {**FIXED_HEADERS, **self.headers}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        content = b"".join(self._pieces(response))
        try:
            body = orjson.loads(content)
        except ValueError:
            body = None
        now = self.now()
        headers = response.headers
        if self.header_names:
            headers = headers.copy()
            headers.update(
                (ours, headers[theirs])
                for ours, theirs in self.header_names.items()
                if theirs in response.headers
            )
        return Answer(
            status=response.status,
            body=body,
            rate=read_rate(headers, now=now),
            retry_after_s=read_retry_after_s(headers, now=now) if response.status >= 400 else None,
            request_id=_request_id(response.headers),
        )

    def _pieces(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        deadline = time.monotonic() + self.timeouts.total_s
        size = 0
        while piece := response.read1(65_536, decode_content=False):
            size += len(piece)
            if size > self.answer_bytes:
                raise Retry("the answer is larger than any that the tool documents")
            if time.monotonic() > deadline:
                raise Retry("the answer came too slowly")
            yield piece


def download(
    url: str,
    target: IO[bytes],
    *,
    hosts: Sequence[str],
    most_bytes: int,
    timeouts: Timeouts = Timeouts(total_s=600.0),
) -> int:
    """Write what a URL of a tool's answer holds to ``target``; returns the HTTP status.

    The URL is not trusted: its host must fit one of ``hosts`` ("*" stands for one label), over TLS
    unless it is this machine. No key, cookie or proxy password of ours goes there; redirects are
    not followed. Anything but 200 leaves ``target`` alone. Raises Retry, also for more than
    ``most_bytes``, and Stop for a host that is not allowed.
    """
    parts = _allowed(url, hosts)
    host = f"{parts.scheme}://{parts.netloc}"
    client = Client(host, timeouts=timeouts, answer_bytes=most_bytes)
    try:
        # What was checked is what is asked: put together anew from its parts.
        return client.save((parts.path or "/") + (parts.query and f"?{parts.query}"), target)
    finally:
        client.close()


def _allowed(url: str, hosts: Sequence[str]) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Stop("the tool gave a download address that is no URL") from None
    here = host in LOOPBACK_HOSTS
    usual = parts.scheme == "https" and port in (None, 443)
    fits = any(re.fullmatch(re.escape(each).replace(r"\*", r"[a-z0-9_-]+"), host) for each in hosts)
    if not fits or not (usual or here) or parts.username is not None:
        shown = re.sub(r"[^a-z0-9.-]", "?", host)[:100]
        raise Stop(f"the tool gave a download address at {shown!r}, which is not an allowed host")
    return parts


def require_success(answer: Answer) -> Answer:
    """The answer when its status is 2xx; else the exception that says what to do about it.

    For all tools: 408, 423 (locked), 425, 429 and 5xx pass by themselves; a redirect and any
    other 4xx need a person.
    """
    status, request_id = answer.status, answer.request_id
    if 200 <= status < 300:
        return answer
    if status in (408, 423, 425, 429) or status >= 500:
        raise Retry(
            "the tool is busy" if status < 500 else "the tool failed",
            after_s=answer.retry_after_s,
            status=status,
            request_id=request_id,
        )
    if 300 <= status < 400:
        raise Stop("the tool redirected, which is never followed", status=status)
    what = {
        401: "the key was refused: is it of this host, and still valid?",
        403: "the key lacks a permission that this call needs",
        404: "the tool does not know this address",
        410: "the tool no longer offers this call",
    }.get(status, "the tool refused the call")
    raise Stop(what, status=status, request_id=request_id)


def require_object(answer: Answer) -> dict[str, Any]:
    """The JSON object of a success. Raises like ``require_success``, and Retry for anything else,
    such as a page of a proxy."""
    require_success(answer)
    if not isinstance(answer.body, dict):
        raise Retry("a page instead of JSON, so nobody knows", status=answer.status)
    return answer.body


def require_list(told: Mapping[str, Any], name: str) -> list[Any]:
    """The list that an answer holds under ``name``. Raises Retry if there is none."""
    listed = told.get(name)
    if not isinstance(listed, list):
        raise Retry(f"an answer without its list of {name}, so nobody knows")
    return listed


def basic_auth(user: str, password: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """(headers, secrets) of a client: the key also travels as a part of other letters."""
    pair = b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}, (password, pair)


def _write(target: IO[bytes], piece: bytes) -> None:
    try:
        target.write(piece)
    except OSError as error:  # not of the connection
        raise Stop(f"a download cannot be written: {error.strerror or error}") from error


def send_once(client: Client, method: str, path: str, body: bytes) -> Answer:
    """A successful answer to what must not be done twice.

    Raises Lost where nobody knows whether it was done (no answer, or the tool failed at it), Retry
    where it surely was not (never sent, 429, locked), and Stop.
    """
    try:
        return require_success(client.request(method, path, body=body))
    except Retry as error:
        if error.unsent:
            raise
        if error.status is None or error.status == 408 or error.status >= 500:
            what = f"{error.what}; it may have been done all the same"
            raise Lost(what, status=error.status, request_id=error.request_id) from error
        raise


def _request_id(headers: Mapping[str, str]) -> str | None:
    text = headers.get("X-Request-Id", "")
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) else None
