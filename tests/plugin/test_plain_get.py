"""What is read as a plain GET is read by gunicorn's parser in the same way."""

from __future__ import annotations

import io

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from plugin import gunicorn_conf
from plugin.plain_get import MOST_BYTES, plain_get

HEAD = b"GET /v1/content/for-you?customer=a%20b&limit=3 HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\n\r\n"
LIMITS = ("limit_request_line", "limit_request_fields", "limit_request_field_size")


@pytest.fixture(scope="module")
def cfg() -> Config:
    found = Config()
    for name in (*LIMITS, "http_parser", "forwarder_headers", "secure_scheme_headers"):
        found.set(name, getattr(gunicorn_conf, name))
    return found


PIECES = st.sampled_from([
    b"GET", b"POST", b"get", b" ", b"  ", b"\t", b"/v1/content/for-you", b"/", b"//x", b"?a=b",
    b"?", b"#f", b"%0d", b"[", b'"', b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.10", b"\r\n", b"\n", b"\r",
    b"\0", b"Host: x", b"host:y", b"X-Api-Key: k ", b"X_Api_Key: k", b"Connection: close", b"a:",
    b"Connection: Keep-Alive", b"Connection: upgrade", b"Content-Length: 0", b"Content-Length: 3",
    b"Transfer-Encoding: chunked", b"Expect: 100-continue", b" folded", b": no name", b"n\xe9: v",
    b"n: \xff\x85", b"n : v", b"Content-Type: a", b"body",
])  # fmt: skip
LINES = st.lists(
    st.sampled_from([
        b"Host: x", b"host:y", b"X-Api-Key:  k\t", b"X_Api_Key: k", b"Connection: close", b"a:",
        b"Connection: Keep-Alive", b"Connection: keep-alive, TE", b"Content-Length: 0", b" folded",
        b"Transfer-Encoding: chunked", b"n: \xff\x85", b"n: \x0b", b"n : v", b"Content-Type: a",
        b"Forwarded: for=1;proto=https", b"X-Forwarded-Proto: https", b"SCRIPT-NAME: /x",
    ]),
    max_size=5,
)  # fmt: skip
TARGETS = st.sampled_from(
    [b"/v1/content/for-you", b"/v1/content/for-you?a=b&c=%ff", b"/?", b"/a?b?c", b"/a?[", b"//a"]
)
ALMOST = st.builds(
    lambda target, lines: b"\r\n".join([b"GET %b HTTP/1.1" % target, *lines, b"", b""]),
    TARGETS,
    LINES,
)


@given(st.one_of(ALMOST, st.lists(PIECES, max_size=14).map(b"".join)))
def test_a_plain_get_is_what_gunicorn_reads(cfg: Config, head: bytes) -> None:
    found = plain_get(head)
    if found is None:
        return
    parser = RequestParser(cfg, io.BytesIO(head), ("127.0.0.1", 1))
    request = next(parser)
    assert (request.method, request.version) == ("GET", (1, 1))
    assert (request.path, request.query) == (found.path, found.query)
    assert request.headers == list(found.headers.items())
    assert request.should_close() is not found.again
    assert request.body.read() == b""
    assert parser.unreader.read() == b""


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n", b"User-Agent: a (b; c)\r\nA:\r\n"])
def test_what_messaging_tools_send_is_plain(more: bytes) -> None:
    found = plain_get(HEAD[:-2] + more + b"\r\n")
    assert found is not None
    assert (found.path, found.query) == ("/v1/content/for-you", "customer=a%20b&limit=3")
    assert found.headers["X-API-KEY"] == "k"
    assert found.again is (b"close" not in more)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"GET", b"HEAD"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b"\r\n", b"\n"),
        HEAD + HEAD,
        HEAD[:-2],
        HEAD[:-2] + b"Host: x\r\n\r\n",
        HEAD[:-2] + b"x-api-key: other\r\n\r\n",
        HEAD[:-2] + b"X_Api_Key: other\r\n\r\n",
        HEAD[:-2] + b"Content-Length: 0\r\n\r\n",
        HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD[:-2] + b"Connection: Upgrade\r\n\r\n",
        HEAD[:-2] + b"Upgrade: h2c\r\n\r\n",
        HEAD[:-2] + b" folded\r\n\r\n",
        HEAD[:-2] + b"A: b\x00c\r\n\r\n",
        HEAD[:-2] + b"A: b\rc\r\n\r\n",
        HEAD[:-2] + b"".join(b"A%d: b\r\n" % number for number in range(64)) + b"\r\n",
        HEAD[:-2] + b"A: " + b"b" * MOST_BYTES + b"\r\n\r\n",
        HEAD.replace(b"?", b"/%2e%2e?"),
        HEAD.replace(b"limit", b"#limit"),
        HEAD.replace(b"/v1", b"http://x/v1"),
        HEAD.replace(b"/v1", b"//v1"),
        "GET /v1/content/für-dich HTTP/1.1\r\n\r\n".encode(),
    ],
)
def test_bad_input_all_else_is_not_plain(head: bytes) -> None:
    assert plain_get(head) is None
