"""The HTTP seam against servers that mean no good."""

from __future__ import annotations

import gzip
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from connectors.errors import ConnectorError, Reject, Retry, Stop
from connectors.http import (
    Answer,
    Client,
    Timeouts,
    as_list,
    as_object,
    basic_auth,
    download,
    require_list,
    require_object,
    require_success,
)

SECRET = "a-very-secret-key"


@contextmanager
def saying(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that says ``answer`` to whoever connects, whatever is asked; (URL, requests)."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept() where nobody connected
        listener.close()
        thread.join(5)
        assert not thread.is_alive()


def client(url: str, **options: object) -> Client:
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Client(url, headers=headers, secrets=(SECRET,), **options)  # type: ignore[arg-type]


def ask(url: str, **options: object) -> Answer:
    asked = client(url, **options)
    try:
        return asked.request("POST", "/x", body=b"{}")
    finally:
        asked.close()


def http(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def test_a_json_answer_is_parsed_with_its_rate_and_request_id() -> None:
    headers = "X-Request-Id: abc-1\r\nX-RateLimit-Remaining: 5\r\n"
    with saying(http(b'{"message":"success"}', headers=headers)) as (url, heard):
        answer = ask(url)
    assert (answer.status, answer.body) == (200, {"message": "success"})
    assert (answer.request_id, answer.rate.remaining) == ("abc-1", 5)
    assert b"Authorization: Bearer" in heard[0]
    assert b"Content-Type: application/json" in heard[0]


def test_a_machine_wide_netrc_does_not_replace_our_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with saying(http(b"{}")) as (url, heard):
        ask(url)
    assert f"Authorization: Bearer {SECRET}".encode() in heard[0]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"\xff\xfe", b"[" * 5_000, b'{"a":NaN}', gzip.compress(b"{}", mtime=0)],
)
def test_bad_input_what_is_not_json_is_none(body: bytes) -> None:
    with saying(http(body)) as (url, _):
        assert ask(url).body is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    ],
)
def test_bad_input_a_broken_answer_is_a_lost_one(answer: bytes) -> None:
    with saying(answer) as (url, _), pytest.raises(Retry):
        if ask(url).body is None:
            raise Retry("the connector says so for a body that is not JSON")


def test_bad_input_an_endless_answer_is_not_read_to_the_end() -> None:
    with saying(http(b"x" * 50_000)) as (url, _), pytest.raises(Retry, match="larger"):
        ask(url, answer_bytes=10_000)


def test_a_redirect_is_not_followed() -> None:
    with saying(http(b"", status="302 Found", headers="Location: http://127.0.0.1:9/\r\n")) as (
        url,
        heard,
    ):
        answer = ask(url)
    assert answer.status == 302
    assert len(heard) == 1
    with pytest.raises(Stop, match="redirected"):
        require_success(answer)


def test_nobody_there_is_worth_a_retry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Retry, match="failed"):
        ask(f"http://127.0.0.1:{port}")


def test_a_server_that_hangs_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Retry, match="in time"):
            ask(url, timeouts=Timeouts(0.2, 0.2, 0.2))


def test_tls_without_a_valid_certificate_is_no_connection() -> None:
    with saying(b"not TLS at all") as (url, _), pytest.raises(ConnectorError) as failed:
        ask(url.replace("http://", "https://"))
    assert SECRET not in str(failed.value)


def test_bad_input_an_address_that_is_none_stops() -> None:
    with pytest.raises(Stop):
        ask("ftp://127.0.0.1")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Stop), (403, Stop), (404, Stop), (410, Stop), (415, Stop), (418, Stop), (301, Stop),
     (408, Retry), (423, Retry), (429, Retry), (500, Retry), (503, Retry), (529, Retry),
     (598, Retry)],
)  # fmt: skip
def test_the_status_says_what_to_do(status: int, error: type[ConnectorError]) -> None:
    with pytest.raises(error) as raised:
        require_success(Answer(status, None, retry_after_s=4.0))
    assert raised.value.status == status
    assert getattr(raised.value, "after_s", 4.0) == 4.0


def test_the_object_of_a_success_is_what_was_told() -> None:
    answer = Answer(201, {"id": 7})
    assert require_object(answer) == answer.told == {"id": 7}


@pytest.mark.parametrize("body", [None, [], [{"id": 7}], "ok", 7])
def test_bad_input_a_success_that_is_no_object_is_unknown(body: object) -> None:
    assert Answer(200, body).told == {}
    with pytest.raises(Retry, match="so nobody knows"):
        require_object(Answer(200, body))


def test_bad_input_an_object_is_no_success_by_itself() -> None:
    with pytest.raises(Stop):
        require_object(Answer(403, {"ok": True}))


@pytest.mark.parametrize("value", [None, "ab", 7, (1, 2)])
def test_bad_input_what_is_no_object_and_no_list_is_an_empty_one(value: object) -> None:
    assert (as_object(value), as_list(value)) == ({}, [])


@pytest.mark.parametrize("told", [{}, {"lists": None}, {"lists": {}}, {"lists": "ab"}])
def test_bad_input_a_list_that_is_none_is_asked_for_again(told: dict[str, object]) -> None:
    with pytest.raises(Retry, match="its list of lists"):
        require_list(told, "lists")
    assert require_list({"lists": [1]}, "lists") == [1]


def test_basic_auth_is_hidden_in_both_forms() -> None:
    headers, secrets = basic_auth("user", "kéy")
    assert headers == {"Authorization": "Basic dXNlcjprw6l5"}
    tool = Client("https://tool.example", headers, secrets)
    assert tool.reason("kéy or dXNlcjprw6l5") == "[secret] or [secret]"


def test_text_of_the_tool_is_one_short_line_without_secrets_and_addresses() -> None:
    asked = client("http://127.0.0.1:1")
    assert asked.reason(f"bad\r\nkey {SECRET}\x00!") == "bad key [secret] !"
    assert asked.reason("no anna@shop.example, Ben <ben@b>") == "no (address) Ben (address)"
    assert "anna" not in asked.reason(f"{'x ' * 97}anna@shop.example")
    assert len(asked.reason("x" * 10_000)) == 200
    cut = asked.reason(" " * 1_990 + SECRET)
    assert SECRET[:6] not in cut
    assert asked.reason("\n") == "no reason given"
    assert SECRET not in repr(asked)
    asked.close()


def test_an_error_is_one_of_five_kinds_and_never_shows_more_than_it_was_told() -> None:
    assert str(Reject("too long")) == "too long"


@pytest.mark.parametrize("key", [f"{SECRET}\r\nX: 1", f"{SECRET}가"])
def test_bad_input_a_key_that_no_header_can_carry_is_not_shown(key: str) -> None:
    with saying(b"") as (url, heard):
        client = Client(url, headers={"Authorization": f"Bearer {key}"}, secrets=(key,))
        with pytest.raises(Stop, match="no HTTP header can carry") as stopped:
            client.request("GET", "/")
        client.close()
    assert SECRET not in str(stopped.value)
    assert heard == [] or SECRET.encode() not in heard[0]


def fetch(url: str, hosts: tuple[str, ...] = ("127.0.0.1",), most_bytes: int = 1_000) -> bytes:
    target = io.BytesIO()
    assert download(url, target, hosts=hosts, most_bytes=most_bytes) == 200
    return target.getvalue()


def test_a_download_brings_the_bytes_and_shows_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret-of-netrc")
    monkeypatch.setenv("HOME", str(tmp_path))
    with saying(http(b"PK content")) as (url, heard):
        assert fetch(f"{url}/export.zip?signature=x%2By") == b"PK content"
    assert b"GET /export.zip?signature=x%2By " in heard[0]
    assert b"uthorization" not in heard[0]


def test_a_download_goes_to_the_host_that_was_checked_however_it_is_spelled() -> None:
    with saying(http(b"x")) as (url, heard):
        assert fetch(url.replace("http:", "HTTP:") + "?a=1#part") == b"x"
    assert b"GET /?a=1 " in heard[0]


def test_a_download_that_is_not_there_leaves_the_target_alone() -> None:
    target = io.BytesIO()
    with saying(http(b"not yet", status="404 Not Found")) as (url, _):
        assert download(url, target, hosts=["127.0.0.1"], most_bytes=1_000) == 404
    assert target.getvalue() == b""


def test_bad_input_a_download_is_cut_at_its_limit() -> None:
    with saying(http(b"x" * 2_000)) as (url, _), pytest.raises(Retry, match="larger than any"):
        fetch(url)


def test_a_redirected_download_is_not_followed() -> None:
    headers = "Location: http://169.254.169.254/latest\r\n"
    with saying(http(b"", status="302 Found", headers=headers)) as (url, heard):
        target = io.BytesIO()
        assert download(url, target, hosts=["127.0.0.1"], most_bytes=1_000) == 302
    assert len(heard) == 1


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://bucket.s3.amazonaws.com/x", "ftp://bucket.s3.amazonaws.com/",
     "https://bucket.s3.amazonaws.com.evil.example/", "https://bucket.s3.amazonaws.com:8443/x",
     "https://me@bucket.s3.amazonaws.com/x", "https://a.b.s3.amazonaws.com/x", "file:///etc/passwd",
     "https://xs3.amazonaws.com/", "https://[::1", "", "//bucket.s3.amazonaws.com/x",
     "https://169.254.169.254/latest", "https://bucket.s3.amazonaws.com\n.evil.example/",
     "https://a\u3002b.s3.amazonaws.com/x", "https://a%2fb.s3.amazonaws.com/x"],
)  # fmt: skip
def test_bad_input_an_address_off_the_list_is_never_asked(url: str) -> None:
    with pytest.raises(Stop, match="download address") as stopped:
        fetch(url, ("*.s3.amazonaws.com",))
    assert "\n" not in str(stopped.value)


def test_a_host_that_nobody_answers_at_was_sent_nothing() -> None:
    with pytest.raises(Retry) as failed:
        ask("http://127.0.0.1:9")
    assert failed.value.unsent


def test_an_answer_that_was_lost_may_have_been_sent() -> None:
    with saying(b"") as (url, _), pytest.raises(Retry) as failed:
        ask(url)
    assert not failed.value.unsent
