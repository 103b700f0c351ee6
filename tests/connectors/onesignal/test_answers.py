"""How values become tags, and OneSignal's answers are read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.onesignal.app import App
from connectors.onesignal.tags import Attributes, tag
from connectors.onesignal.users import erase
from connectors.tool import Outcome
from tests.connectors.saying import SayingClient, saying

APP_ID = "11111111-2222-3333-4444-555555555555"


def write(client: SayingClient, customer_id: str = "c1") -> Outcome:
    target = Attributes(App(client, APP_ID))
    return target.write("", [target.encode(customer_id, {"x": 1}).body])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "1"), (False, "0"), (0.35, "0.35"), (7, "7"), ("a", "a"),
     (["a", "b"], "a,b")],
)  # fmt: skip
def test_each_value_is_a_text(value: Any, text: str) -> None:
    assert tag(value) == text


@pytest.mark.parametrize("status", [200, 202])
def test_a_success_is_accepted(status: int) -> None:
    assert write(saying(Answer(status, {"properties": {}}))) == Outcome()


@pytest.mark.parametrize("body", [None, [], "ok", ["queued"]])
def test_bad_input_a_2xx_that_is_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(saying(Answer(202, body)))


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
@pytest.mark.parametrize("errors", [["too many tags"], [{"code": "x", "title": "too many tags"}]])
def test_a_refused_user_is_told_in_onesignals_words(status: int, errors: Any) -> None:
    with pytest.raises(Split, match="too many tags"):
        write(saying(Answer(status, {"errors": errors})))


@pytest.mark.parametrize("errors", [None, [], {}, "", 0])
def test_bad_input_errors_of_no_known_shape_are_told_by_their_status(errors: Any) -> None:
    with pytest.raises(Split, match="HTTP 400"):
        write(saying(Answer(400, {"errors": errors})))


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(saying(Answer(status, {})))


def test_a_user_who_is_asked_too_often_is_asked_later() -> None:
    with pytest.raises(Retry) as refused:
        write(saying(Answer(429, {}, retry_after_s=1.0)))
    assert refused.value.after_s == 1.0


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    client = saying(Answer(202, {}))
    write(client, "../../apps?x#y")
    assert client.asked[0][1] == (f"/apps/{APP_ID}/users/by/external_id/..%2F..%2Fapps%3Fx%23y")


@pytest.mark.parametrize("customer_id", ["", ".", ".."])
def test_bad_input_an_id_that_is_a_step_in_a_path_is_never_sent(customer_id: str) -> None:
    client = saying(Answer(202, {}))
    with pytest.raises(Split, match="part of an address"):
        write(client, customer_id)
    with pytest.raises(Stop, match="refused 1 of 1"):
        erase(App(client, APP_ID), [customer_id])
    assert client.asked == []


def test_no_secret_gets_into_a_reason() -> None:
    with pytest.raises(Split) as refused:
        write(saying(Answer(400, {"errors": ["bad key s3cret"]})))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "what"), [({"user": 1}, "user"), ({f"t{n}": n for n in range(101)}, "100 tags")]
)
def test_bad_input_tags_that_cannot_be_are_refused(change: dict[str, Any], what: str) -> None:
    with pytest.raises(Reject, match=what):
        Attributes(App(saying(), APP_ID)).encode("c1", change)


def test_a_removed_tag_is_sent_empty() -> None:
    body = orjson.loads(Attributes(App(saying(), APP_ID)).encode("c1", {"x": None}).body)
    assert body == {"id": "c1", "tags": {"x": ""}}
