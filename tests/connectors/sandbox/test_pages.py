"""What one opens in the browser."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from connectors.sandbox.app import create_app
from connectors.sandbox.client import Sandbox, SandboxError
from connectors.sandbox.pages import pieces
from tests.connectors.doubles import KEY

NASTY = "<script>alert(1)</script>\"'"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    """A browser, at a sandbox in which everything a stranger can name is nasty."""
    web = app.test_client()
    item = {"external_id": NASTY, NASTY: NASTY, "list": [NASTY]}
    web.post("/users/track", json={"attributes": [item]}, headers=BEARER)
    cohort = {"partner_api_key": KEY, "client_secret": KEY, "cohort_id": NASTY, "name": NASTY}
    web.post("/partners/p/cohorts", json={**cohort, "created_at": "2026-01-01"})
    template = f"Subject: {NASTY}\n{NASTY} http://x/?a=1&b=2 {{{{${{user_id}}}}}}"
    body = {"template": template, "name": NASTY, "cohort_id": NASTY}
    web.put("/sandbox/campaigns/c", json=body, headers=BEARER)
    recipients = [{"external_user_id": NASTY}]
    trigger = {"campaign_id": "c", "recipients": recipients}
    web.post("/campaigns/trigger/send", json=trigger, headers=BEARER)
    return web


@pytest.mark.parametrize("path", ["/", "/outbox/c", "/profiles", "/profile", "/calls"])
def test_pages_show_what_there_is_and_escape_it(web: FlaskClient, path: str) -> None:
    answer = web.get(path, query_string={"external_id": NASTY} if path == "/profile" else {})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert ("&lt;script&gt;" in answer.text) or path == "/calls"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_links_in_a_message_can_be_followed(web: FlaskClient) -> None:
    page = web.get("/outbox/c").text
    assert '<a href="http://x/?a=1&amp;b=2" rel="noopener noreferrer"' in page


def test_an_empty_sandbox_says_what_to_do(app: Flask) -> None:
    page = app.test_client().get("/").text
    assert "rightsend demo" in page


def test_messages_are_filtered_by_state(web: FlaskClient) -> None:
    assert "No message here" in web.get("/outbox/c?state=aborted").text
    assert "alert(1)" in web.get("/outbox/c?state=sent").text


@pytest.mark.parametrize("path", ["/outbox/none", "/profile?external_id=none", "/nowhere"])
def test_bad_input_an_unknown_page_is_404(web: FlaskClient, path: str) -> None:
    assert web.get(path).status_code == 404


def test_bad_input_another_host_name_is_refused(web: FlaskClient) -> None:
    assert web.get("/", headers={"Host": "evil.example.com"}).status_code == 403
    assert web.get("/", headers={"Host": "localhost:8001"}).status_code == 200


def test_the_style_sheet_is_served(web: FlaskClient) -> None:
    with web.get("/assets/sandbox.css") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/css")


def test_a_wrong_method_says_which_are_allowed(web: FlaskClient) -> None:
    answer = web.get("/users/track")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("keys", [[], [""], ["good", ""]])
def test_bad_input_a_sandbox_without_a_key_is_not_made(tmp_path, keys: list[str]) -> None:
    with pytest.raises(ValueError, match="API key"):
        create_app(tmp_path, api_keys=keys)


def test_a_text_is_cut_into_text_and_links() -> None:
    assert [p["text"] for p in pieces("go http://a/b now")] == ["go ", "http://a/b", " now"]
    assert [p["link"] for p in pieces("go http://a/b now")] == [False, True, False]
    assert not any(p["link"] for p in pieces("javascript:alert(1)"))


def test_the_client_says_when_nobody_is_there() -> None:
    client = Sandbox("http://127.0.0.1:9", KEY)
    with pytest.raises(SandboxError, match="does not answer"):
        client.counts()
    client.close()


def test_the_client_says_when_the_key_is_wrong(url: str) -> None:
    client = Sandbox(url, "wrong")
    with pytest.raises(SandboxError, match="401"):
        client.outbox("c")
    client.close()
