"""What must not be done twice is asked for once, whatever the answer."""

from __future__ import annotations

import pytest

from connectors.errors import Lost, Retry, Stop
from connectors.http import Answer, send_once
from tests.connectors.saying import saying


def test_a_success_is_the_answer() -> None:
    assert send_once(saying(Answer(201, {"id": 1})), "POST", "/x", b"").body == {"id": 1}


@pytest.mark.parametrize(
    "answer", [Retry("no answer"), *(Answer(s, None) for s in (408, 500, 504))]
)
def test_where_nobody_knows_whether_it_was_done_it_is_lost(answer: Answer | Exception) -> None:
    client = saying(answer, Answer(200, {}))
    with pytest.raises(Lost, match="may have been done"):
        send_once(client, "POST", "/x", b"")
    assert len(client.asked) == 1


@pytest.mark.parametrize("status", [423, 425, 429])
def test_what_was_refused_before_it_was_done_may_be_sent_later(status: int) -> None:
    with pytest.raises(Retry) as refused:
        send_once(saying(Answer(status, None, retry_after_s=4.0)), "POST", "/x", b"")
    assert refused.value.after_s == 4.0


@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_what_a_person_must_mend_stops(status: int) -> None:
    with pytest.raises(Stop):
        send_once(saying(Answer(status, None)), "POST", "/x", b"")
