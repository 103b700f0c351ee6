"""What every webhook is made of: whose request it is, and which documents it holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.inbound import (
    BadBody,
    Forbidden,
    documents,
    gathered,
    hmac_sha256,
    moment,
    require_same,
    text,
    token_in,
)

OPTIONS = {"hook_token": "s3cret"}


@pytest.mark.parametrize("value", ["s3cret", "Bearer s3cret", "Bearer  s3cret "])
def test_the_token_of_the_connection_opens(value: str) -> None:
    token_in("Authorization", "hook_token")(b"", {"authorization": value}, OPTIONS)


@pytest.mark.parametrize("value", ["", "s3cre", "s3cret2", "Bearer", "Basic s3cret", "s3crét"])
def test_bad_input_another_token_is_forbidden(value: str) -> None:
    with pytest.raises(Forbidden):
        token_in("Authorization", "hook_token")(b"", {"authorization": value}, OPTIONS)


@pytest.mark.parametrize("options", [{}, {"hook_token": None}, {"hook_token": ""}])
def test_bad_input_a_connection_without_a_secret_opens_to_nobody(options: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        token_in("Authorization", "hook_token")(b"", {"authorization": ""}, options)
    with pytest.raises(Forbidden):
        hmac_sha256(options.get("hook_token"), b"body")


def test_a_signature_is_of_this_body_and_this_secret() -> None:
    # RFC 4231, test case 2
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256("Jefe", b"what do ya want for nothing?") == expected
    require_same(expected, expected)
    with pytest.raises(Forbidden):
        require_same(hmac_sha256("Jefe", b"another"), expected)


@pytest.mark.parametrize(
    "body",
    [
        b'{"events": [{"a": 1}, {"a": 2}]}',
        b'[{"a": 1}, {"a": 2}]',
        b'{"a": 1}\n\n{"a": 2}\r\n',
    ],
)
def test_vendors_shapes_are_one_list(body: bytes) -> None:
    assert documents(body) == [{"a": 1}, {"a": 2}]


def test_one_object_is_one_document() -> None:
    assert documents(b" \n") == []  # only asks whether the token is right
    assert documents(b'{"a": {"events": 1}}') == [{"a": {"events": 1}}]
    assert documents(b'{"data": [{"a": 1}]}', key="data") == [{"a": 1}]


@pytest.mark.parametrize(
    "body",
    [b"{", b"7", b'"x"', b"[1]", b"[{}, 2]", b'{"a": NaN}', b"\xff", b"[" * 9999, b"{}\n7"],
)
def test_bad_input_a_body_that_holds_no_objects(body: bytes) -> None:
    with pytest.raises(BadBody):
        documents(body)


def test_ids_and_times_of_a_tool() -> None:
    assert [text(each) for each in ("a ", 7, "", None, True, [], 1.5)] == [
        "a", "7", None, None, None, None, None,
    ]  # fmt: skip
    assert moment("1700000000") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert [moment(each) for each in ("x", None, [], 1e300, float("nan"))] == [None] * 5


def test_unknown_words_are_counted_and_cut() -> None:
    told = gathered(iter([{"event_id": "1"}, "new", "new", None, "x" * 5000]))
    assert (len(told.events), told.malformed) == (1, 1)
    assert told.unknown == {"new": 2, "x" * 100: 1}
