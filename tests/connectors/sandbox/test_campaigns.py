from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request

from connectors import delivery
from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox, SandboxError
from settings.workspace import AttributeSettings, ConnectionSettings
from tests.connectors.doubles import KEY, FakeTime
from tests.connectors.sandbox.conftest import Content
from tests.connectors.servers import serving

FOR_YOU = Path(__file__).parents[3] / "rightsend" / "defaults" / "for_you.liquid"


@pytest.fixture
def cohort(url: str, tmp_path: Path) -> Iterator[list[str]]:
    """Members of the cohort "seg", pushed the way a segment is."""
    members = [f"c{n:03}" for n in range(450)]
    connection = ConnectionSettings("crm", "sandbox", (), {"url": url, "api_key": KEY})
    delivery.push_segment(
        connection, segment_id="seg", name="Seg", members=members, state_path=tmp_path / "s"
    )
    yield members


def test_each_member_gets_one_message_with_the_own_content(
    sandbox: Sandbox, cohort: list[str]
) -> None:
    sandbox.define_campaign("hello", template="Hi {{${user_id}}}", cohort_id="seg")
    result = sandbox.send("hello")
    assert (result["audience"], result["sent"], result["failed"]) == (450, 450, 0)
    assert {m["external_id"]: m["body"] for m in sandbox.outbox("hello")} == {
        member: f"Hi {member}" for member in cohort
    }


def test_sending_again_doubles_nothing_and_reaches_who_is_new(
    sandbox: Sandbox, cohort: list[str], url: str, tmp_path: Path
) -> None:
    sandbox.define_campaign("hello", template="Hi {{${user_id}}}", cohort_id="seg")
    sandbox.send("hello")
    before = sandbox.outbox("hello")
    sandbox.send("hello")
    assert sandbox.outbox("hello") == before
    connection = ConnectionSettings("crm", "sandbox", (), {"url": url, "api_key": KEY})
    delivery.push_segment(
        connection, segment_id="seg", name="Seg", members=[*cohort, "new"],
        state_path=tmp_path / "s",
    )  # fmt: skip
    sandbox.send("hello")
    assert [m["external_id"] for m in sandbox.outbox("hello")] == [*cohort, "new"]


def test_an_interrupted_send_goes_on_where_it_stopped(
    tmp_path: Path, time: FakeTime, content: Content
) -> None:
    members = [f"c{n:03}" for n in range(600)]
    template = f"{{% connected_content {content.url}/json?u={{{{${{user_id}}}}}} :save r %}}x"
    for interrupted in (True, False):
        app = create_app(tmp_path / "s", api_keys=[KEY], threads=4, clock=time)
        with serving(app) as url:
            client = Sandbox(url, KEY)
            connection = ConnectionSettings("crm", "sandbox", (), {"url": url, "api_key": KEY})
            delivery.push_segment(
                connection, segment_id="seg", name="Seg", members=members,
                state_path=tmp_path / "state",
            )  # fmt: skip
            client.define_campaign("hello", template=template, cohort_id="seg")
            if interrupted:
                client.start("hello")
                app.extensions[CLOSE]()
            else:
                client.send("hello")
                assert [m["external_id"] for m in client.outbox("hello")] == members
                app.extensions[CLOSE]()
            client.close()


def test_aborted_and_failed_are_listed_with_their_reason(
    sandbox: Sandbox, cohort: list[str]
) -> None:
    template = (
        "{% assign u = ${user_id} %}{% if u == 'c001' %}{% abort_message('not today') %}{% endif %}"
        "{% if u == 'c002' %}{{ u | no_filter }}{% endif %}Hi"
    )
    sandbox.define_campaign("mixed", template=template, cohort_id="seg")
    result = sandbox.send("mixed")
    assert (result["sent"], result["aborted"], result["failed"]) == (448, 1, 1)
    assert sandbox.outbox("mixed", "aborted")[0]["reason"] == "not today"
    assert "no_filter" in sandbox.outbox("mixed", "failed")[0]["reason"]


def test_the_ready_template_renders_the_customers_items(
    sandbox: Sandbox, cohort: list[str]
) -> None:
    app = Flask("plugin")

    @app.get("/v1/content/for-you")
    def for_you() -> dict[str, object]:
        assert request.authorization is not None
        assert request.authorization.password == "content-key"
        customer = request.args["customer"]
        items = [{"id": "1", "name": f"Milk of {customer}", "price": 2.499}]
        link = f"http://127.0.0.1/l/{customer}"
        answer = {"ok": True, "fallback": customer == "c003", "send": customer != "c004"}
        return {**answer, "items": items, "landing_url": link}

    with serving(app) as url:
        template = FOR_YOU.read_text().replace("https://rightsend.example.com", url)
        sandbox.define_campaign("for-you", template=template, cohort_id="seg")
        result = sandbox.send("for-you")
    assert (result["sent"], result["aborted"]) == (448, 2)
    message = sandbox.outbox("for-you")[0]
    assert message["subject"] == "Milk of c000 and more, picked for you"
    assert "• Milk of c000\n" in message["body"]
    assert message["body"].endswith("http://127.0.0.1/l/c000")


def test_the_ready_template_sends_nothing_when_the_plugin_is_away(
    sandbox: Sandbox, cohort: list[str]
) -> None:
    template = FOR_YOU.read_text().replace("https://rightsend.example.com", "http://127.0.0.1:9")
    sandbox.define_campaign("for-you", template=template, cohort_id="seg")
    assert sandbox.send("for-you")["aborted"] == 450


def test_progress_reaches_the_audience(sandbox: Sandbox, cohort: list[str]) -> None:
    sandbox.define_campaign("hello", template="Hi", cohort_id="seg")
    seen: list[tuple[int, int]] = []
    sandbox.send("hello", progress=lambda done, total: seen.append((done, total)))
    assert not seen or seen[-1] == (450, 450)


def test_a_deleted_campaign_is_gone_with_its_outbox(sandbox: Sandbox, cohort: list[str]) -> None:
    sandbox.define_campaign("hello", template="Hi", cohort_id="seg")
    sandbox.send("hello")
    sandbox.delete_campaign("hello")
    assert sandbox.outbox("hello") == []
    with pytest.raises(SandboxError, match="no such campaign"):
        sandbox.campaign("hello")


def test_attributes_are_there_for_the_template(sandbox: Sandbox, url: str, tmp_path: Path) -> None:
    attributes = (AttributeSettings("rs_top", "top_items", length=2),)
    connection = ConnectionSettings("crm", "sandbox", attributes, {"url": url, "api_key": KEY})
    delivery.sync(connection, [("c1", {"top_items": ["a", "b", "c"]})], state_path=tmp_path / "s")
    delivery.push_segment(
        connection, segment_id="seg", name="S", members=["c1"], state_path=tmp_path / "s"
    )
    template = "{{custom_attribute.${rs_top} | join: ' and '}}"
    sandbox.define_campaign("c", template=template, cohort_id="seg")
    sandbox.send("c")
    assert sandbox.outbox("c")[0]["body"] == "a and b"


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"template": "{% nothing %}"}, "line 1"), ({"template": ""}, "must be a text"),
     ({"template": "x", "cohort_id": 7}, "cohort_id")],
)  # fmt: skip
def test_bad_input_a_campaign_that_cannot_be_is_refused(
    sandbox: Sandbox, options: dict[str, str], problem: str
) -> None:
    with pytest.raises(SandboxError, match=problem):
        sandbox.define_campaign("c", **options)  # type: ignore[arg-type]


def test_bad_input_a_campaign_without_a_cohort_cannot_be_sent_to_it(sandbox: Sandbox) -> None:
    sandbox.define_campaign("c", template="x")
    with pytest.raises(SandboxError, match="has no cohort"):
        sandbox.send("c")


def test_bad_input_an_unknown_campaign_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="no campaign nothing"):
        sandbox.send("nothing")
