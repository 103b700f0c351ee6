"""A token that cannot be had: what it was for has not been sent."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Retry, Stop
from connectors.generic.auth import Api, Auth, lost
from connectors.http import Answer, Client

AUTH = Auth("oauth2", token_url="https://auth.example/token", client_secret="s3cr3t")


class TokenHost:
    """Answers what it is told to, or raises it."""

    def __init__(self, answer: Answer | Retry) -> None:
        self.answer = answer

    def request(self, method: str, path: str, *, body: bytes) -> Answer:
        if isinstance(self.answer, Retry):
            raise self.answer
        return self.answer


def ask(answer: Answer | Retry) -> None:
    host: Any = TokenHost(answer)
    Api(Client("https://tool.example"), AUTH, host).request("POST", "/trigger", b"{}")


@pytest.mark.parametrize(
    "answer", [Answer(503, None), Answer(408, {}), Answer(200, None), Retry("no answer in time")]
)
def test_without_a_token_a_message_has_surely_not_left(answer: Answer | Retry) -> None:
    with pytest.raises(Retry) as raised:
        ask(answer)
    assert not lost(raised.value)


@pytest.mark.parametrize("token", [None, "", 7, ["t"]])
def test_bad_input_what_is_no_token_ends_the_sync(token: object) -> None:
    with pytest.raises(Stop, match="answered without access_token"):
        ask(Answer(200, {"access_token": token}))
