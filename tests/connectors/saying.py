"""A client whose host says what a test wants to hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.http import Answer, Client


@dataclass(frozen=True)
class SayingClient(Client):
    """Gives ``answers`` one after the other, the last one for ever; an exception is raised.

    ``asked`` holds (method, path, body) of what was asked.
    """

    answers: Sequence[Answer | Exception] = ()
    asked: list[tuple[str, str, bytes | None]] = field(default_factory=list)

    def request(self, method: str, path: str, *, body: bytes | None = None, **_: Any) -> Answer:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append((method, path, body))
        if isinstance(answer, Exception):
            raise answer
        return answer


def saying(*answers: Answer | Exception) -> SayingClient:
    return SayingClient("http://x", secrets=("s3cret",), answers=answers)
