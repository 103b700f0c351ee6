"""Raw requests for tests/plugin/test_malformed.py, each with what must come back.

``KEY`` stands for a right key. An answer is a status; ``()`` is a connection that is closed without
one. A case that may be understood in two ways by two servers (request smuggling) must end the
connection, so that nothing behind it is taken for a request.
"""

from __future__ import annotations

from typing import NamedTuple

GET = b"GET /v1/content/for-you?customer=customer-001 HTTP/1.1\r\nHost: x\r\nX-Api-Key: KEY\r\n"
POST = (
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Api-Key: KEY\r\nContent-Type: application/json\r\n"
)
EVENT = b'{"identifier": "customer-001", "event_type": "view", "item_id": "item-03"}'
LENGTH = b"Content-Length: %d\r\n" % len(EVENT)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
SECOND = HEALTH + b"\r\n"  # what must not be answered when the first one was ambiguous


class Case(NamedTuple):
    """``statuses`` in order. ``closes``: the server ends the connection. ``hangs_up``: the client
    says that it sends no more."""

    name: str
    raw: bytes
    statuses: tuple[int, ...]
    closes: bool = True
    hangs_up: bool = False


def line(name: str, text: bytes, *statuses: int, closes: bool = True) -> Case:
    """A request line with a right head around it."""
    return Case(name, text + b"\r\nHost: x\r\nX-Api-Key: KEY\r\n\r\n", statuses, closes)


def header(name: str, text: bytes, *statuses: int, closes: bool = True) -> Case:
    """A content call with one more header."""
    return Case(name, GET + text + b"\r\n\r\n", statuses, closes)


def query(name: str, text: bytes, *statuses: int) -> Case:
    """A content call with this query; the connection stays."""
    return line(name, b"GET /v1/content/for-you?" + text + b" HTTP/1.1", *statuses, closes=False)


def body(name: str, text: bytes, *statuses: int, head: bytes = b"") -> Case:
    """Events, with a right length; the connection stays."""
    length = b"Content-Length: %d\r\n\r\n" % len(text)
    return Case(name, POST + head + length + text, statuses, closes=False)


LINES = (
    line("no version (HTTP/0.9)", b"GET /healthz", 400),
    line("a method alone", b"GET", 400),
    Case("blank lines", b"\r\n\r\n\r\n\r\n", (400,)),
    Case("spaces", b"   \r\n\r\n", (400,)),
    line("version 9.9", b"GET /healthz HTTP/9.9", 505),
    line("version 2.0", b"GET /healthz HTTP/2.0", 505),
    Case("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    line("a version in small letters", b"GET /healthz http/1.1", 505),
    line("half a version", b"GET /healthz HTTP/1.", 505),
    line("more behind the version", b"GET /healthz HTTP/1.1 x", 505),
    line("two spaces", b"GET  /healthz HTTP/1.1", 400),
    line("tabs", b"GET\t/healthz\tHTTP/1.1", 400),
    line("a leading space", b" GET /healthz HTTP/1.1", 400),
    line("a method in small letters", b"get /healthz HTTP/1.1", 400),
    line("a method with brackets", b"GE(T) /healthz HTTP/1.1", 400),
    line("an endless method", b"A" * 300 + b" /healthz HTTP/1.1", 400),
    line("a method nobody knows", b"BREW /healthz HTTP/1.1", 405, closes=False),
    line("TRACE", b"TRACE /healthz HTTP/1.1", 405, closes=False),
    line("CONNECT", b"CONNECT example.org:443 HTTP/1.1", 404),
    line("OPTIONS *", b"OPTIONS * HTTP/1.1", 404, closes=False),
    line("absolute form", b"GET http://elsewhere.example/healthz HTTP/1.1", 200, closes=False),
    line("no slash", b"GET healthz HTTP/1.1", 400),
    line("a NUL in the path", b"GET /health\0z HTTP/1.1", 400),
    line("UTF-8 in the path", "GET /v1/한국 HTTP/1.1".encode(), 400),
    line("a fragment", b"GET /healthz#top HTTP/1.1", 200, closes=False),
    line("a path upwards", b"GET /docs/../../../etc/passwd HTTP/1.1", 404, closes=False),
    line("a path upwards, encoded", b"GET /docs/%2e%2e%2fapp.py HTTP/1.1", 404, closes=False),
    line("two slashes", b"GET //healthz HTTP/1.1", 200, closes=False),
    line("a long line", b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
    Case("an endless line", b"GET /" + b"a" * 20_000, (414,)),
    Case("bare line feeds", b"GET /healthz HTTP/1.1\nHost: x\n\n", (400,)),
    Case("bare carriage returns", b"GET /healthz HTTP/1.1\rHost: x\r\r", (408,)),
    Case("rubbish", bytes(range(256)) * 4 + b"\r\n\r\n", (400,)),
    Case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (408,)),
    Case("nothing", b"", (), hangs_up=True),
    Case("half a head", b"GET /healthz HT", (), hangs_up=True),
    Case("half a head, and waiting", b"GET /healthz HTTP/1.1\r\nHo", (408,)),
)

QUERIES = (
    query("a percent sign alone", b"customer=%", 200),
    query("a percent sign and no digits", b"customer=%zz&campaign=%4", 200),
    query("bytes that are no UTF-8", b"customer=%ff%fe%80", 200),
    query("an overlong encoding", b"customer=%c0%af", 200),
    query("half a surrogate", b"customer=%ed%a0%80", 200),
    query("a NUL, encoded", b"customer=%00a", 200),
    query("a line end, encoded", b"customer=a%0d%0aX-Api-Key:%20b", 200),
    query("a name twice", b"customer=a&customer=b", 200),
    query("a name nobody knows", b"customer=a&colour=b", 200),
    query("only separators", b"&&&===&", 200),
    query("a limit of many digits", b"limit=" + b"9" * 5000, 422),
    query("a limit that is no number", b"limit=1e3", 422),
    query("an id that is too long", b"customer=" + b"a" * 1500, 422),
    query("a thousand names", b"&".join(b"a%d=1" % n for n in range(1000)), 200),
)

HEADERS = (
    header("no colon", b"Broken", 400),
    header("a space before the colon", b"X-Name : a", 400),
    header("no name", b": a", 400),
    header("a name with a bracket", b"X(Name): a", 400),
    header("a name in UTF-8", "X-이름: a".encode(), 400),
    header("a NUL in a value", b"X-Name: a\0b", 400),
    header("a carriage return in a value", b"X-Name: a\rb", 400),
    header("a line feed in a value", b"X-Name: a\nX-Other: b", 400),
    header("a folded line", b"X-Name: a\r\n b", 400),
    header("Latin-1 in a value", b"X-Name: \xff\xfe", 200, closes=False),
    header("a long value", b"X-Name: " + b"a" * 9000, 431),
    Case("many headers", GET + b"X-Name: a\r\n" * 100 + b"\r\n", (431,)),
    Case("a large head", GET + (b"X-Name: " + b"a" * 8000 + b"\r\n") * 9 + b"\r\n", (431,)),
    Case("an endless head", GET + b"X-Name: a\r\n" * 7000, (431,)),
    header("two hosts", b"Host: y", 400),
    Case("no host", b"GET /healthz HTTP/1.1\r\n\r\n", (200,), closes=False),
    header("an underscore is no hyphen", b"X_Api_Key: wrong", 200, closes=False),
    header("a path from a header", b"SCRIPT_NAME: /v1", 200, closes=False),
    header("two keys", b"X-Api-Key: rs_shop_00000000_" + b"0" * 40, 401, closes=False),
    Case("a key that is rubbish", HEALTH.replace(b"/healthz", b"/v1/runs")
         + b"Authorization: Basic \xff\xff:::\r\n\r\n", (401,), closes=False),
    Case("a key of 8000 bytes", HEALTH.replace(b"/healthz", b"/v1/runs")
         + b"X-Api-Key: " + b"k" * 8000 + b"\r\n\r\n", (401,), closes=False),
    header("close and keep-alive", b"Connection: close, keep-alive", 200, closes=True),
    header("an upgrade to HTTP/2", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
           b"HTTP2-Settings: AAMAAABkAAQAAP__", 200, closes=False),
    header("an upgrade to a web socket", b"Connection: Upgrade\r\nUpgrade: websocket", 200,
           closes=False),
    header("schemes that contradict", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off", 200,
           closes=False),
    header("an expectation that nobody meets", b"Expect: a-miracle", 417),
    Case("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", (200,)),
)  # fmt: skip

SMUGGLING = (
    Case("a length and chunks", POST + LENGTH + CHUNKED + b"\r\n0\r\n\r\n" + SECOND, (400,)),
    Case("chunks and a length", POST + CHUNKED + LENGTH + b"\r\n" + CHUNKS + SECOND, (400,)),
    Case("two lengths", POST + LENGTH + b"Content-Length: 2\r\n\r\n" + EVENT + SECOND, (400,)),
    Case("the same length twice", POST + LENGTH * 2 + b"\r\n" + EVENT + SECOND, (400,)),
    header("two lengths in one", b"Content-Length: 5, 6", 400),
    header("a negative length", b"Content-Length: -1", 400),
    header("a length with a plus", b"Content-Length: +5", 400),
    header("a length in hexadecimal", b"Content-Length: 0x5", 400),
    header("a length with a space", b"Content-Length: 5 5", 400),
    header("an empty length", b"Content-Length:", 400),
    header("a length in other digits", "Content-Length: ٣".encode(), 400),
    Case("a length beyond everything", POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
         (413,)),
    header("a coding nobody knows", b"Transfer-Encoding: lzma", 501),
    header("a coding that looks like chunked", b"Transfer-Encoding: xchunked", 501),
    header("chunked twice", b"Transfer-Encoding: chunked, chunked", 400),
    header("chunked not last", b"Transfer-Encoding: chunked, gzip", 400),
    header("chunked behind a tab", b"Transfer-Encoding:\x0bchunked", 400),
    Case("chunks in HTTP/1.0", POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n" + CHUNKS + SECOND,
         (400,)),
    Case("a request in the body of another",
         GET + b"Content-Length: %d\r\n\r\n" % len(SECOND) + SECOND, (200,), closes=False),
)  # fmt: skip

BODIES = (
    Case("chunks", POST + CHUNKED + b"\r\n" + CHUNKS, (202,), closes=False),
    Case("a chunk extension", POST + CHUNKED + b"\r\n"
         + CHUNKS.replace(b"\r\n", b";a=b\r\n", 1), (202,), closes=False),
    Case("a chunk extension with a line feed", POST + CHUNKED + b"\r\n"
         + CHUNKS.replace(b"\r\n", b";a\nb\r\n", 1), (400,)),
    Case("a chunk size that is none", POST + CHUNKED + b"\r\nzz\r\n", (400,)),
    Case("a negative chunk", POST + CHUNKED + b"\r\n-1\r\na\r\n0\r\n\r\n", (400,)),
    Case("a chunk beyond everything", POST + CHUNKED + b"\r\n" + b"f" * 40 + b"\r\na", (400,)),
    Case("a chunk longer than it says", POST + CHUNKED + b"\r\n2\r\nabc\r\n0\r\n\r\n", (400,)),
    Case("chunks without an end", POST + CHUNKED + b"\r\n5\r\nab", (400,), hangs_up=True),
    Case("chunks over the limit", POST + CHUNKED + b"\r\n"
         + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 33 + b"0\r\n\r\n", (413,)),
    Case("a body over the limit", POST + b"Content-Length: 3000000\r\n\r\n", (413,)),
    Case("a body that ends early", POST + LENGTH + b"\r\n" + EVENT[:10], (400,), hangs_up=True),
    Case("a body that stalls", POST + LENGTH + b"\r\n" + EVENT[:10], (400,)),
    Case("a body without a key", b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n",
         (401,)),
    Case("100-continue", POST + LENGTH + b"Expect: 100-continue\r\n\r\n" + EVENT, (100, 202),
         closes=False),
    Case("no length", POST + b"\r\n", (400,), closes=False),
    body("an empty body", b"", 400),
    body("JSON that is none", b'{"identifier": ', 400),
    body("JSON in UTF-16", EVENT.decode().encode("utf-16"), 400),
    body("JSON behind a byte order mark", b"\xef\xbb\xbf" + EVENT, 400),
    body("JSON that is no UTF-8", EVENT.replace(b"item-03", b"\xff\xfe"), 400),
    body("JSON with NaN", b'{"identifier": NaN}', 400),
    body("JSON with half a surrogate", EVENT.replace(b"item-03", rb"\ud800"), 400),
    body("JSON nested deeply", b"[" * 5000 + b"]" * 5000, 400),
    body("a JSON list", b"[]", 422),
    body("a JSON number", b"1" * 4000, 400),
    body("a compressed body", b"\x1f\x8b\x08", 415, head=b"Content-Encoding: gzip\r\n"),
)  # fmt: skip

PIPELINES = (
    Case("two requests at once", HEALTH + b"\r\n" + GET + b"\r\n", (200, 200), closes=False),
    Case("thirty requests at once", (HEALTH + b"\r\n") * 30, (200,) * 30, closes=False),
    Case("a request, then rubbish", HEALTH + b"\r\n" + b"rubbish\r\n\r\n" + SECOND, (200, 400)),
    Case("a request, then half of one", HEALTH + b"\r\n" + b"GET /heal", (200, 408)),
    Case("a body, then a request", POST + LENGTH + b"\r\n" + EVENT + SECOND, (202, 200),
         closes=False),
    Case("a line end between requests", HEALTH + b"\r\n\r\n" + SECOND, (200, 200), closes=False),
    Case("a wrong method, then a request",
         HEALTH.replace(b"GET", b"DELETE") + b"\r\n" + SECOND, (405, 200), closes=False),
    Case("the last one says close", HEALTH + b"Connection: close\r\n\r\n" + SECOND, (200,)),
)  # fmt: skip

CASES = LINES + QUERIES + HEADERS + SMUGGLING + BODIES + PIPELINES
