"""Connected Content really calls over HTTP, and by Braze's rules."""

from __future__ import annotations

import socket
import time as clock

import pytest

from connectors.sandbox.fetching import ATTEMPTS, Call, Fetcher
from connectors.sandbox.rules import BRAZE
from tests.connectors.doubles import FakeTime
from tests.connectors.sandbox.conftest import Content, Kitchen


def test_json_is_saved_under_the_name_with_its_status(kitchen: Kitchen, content: Content) -> None:
    template = (
        f"{{% connected_content {content.url}/json :save r %}}"
        "{{ r.name }} {{ r.__http_status_code__ }} {{ r.items[1] }}"
    )
    assert kitchen.text(template) == "Milk 200 2"


def test_json_without_a_name_is_called_connected(kitchen: Kitchen, content: Content) -> None:
    template = f"{{% connected_content {content.url}/json %}}{{{{ connected.name }}}}"
    assert kitchen.text(template) == "Milk"


def test_text_is_inserted(kitchen: Kitchen, content: Content) -> None:
    assert kitchen.text(f"[{{% connected_content {content.url}/text %}}]") == "[just text]"


def test_a_list_has_no_status(kitchen: Kitchen, content: Content) -> None:
    template = f"{{% connected_content {content.url}/list :save r %}}{{{{ r | join: '+' }}}}"
    assert kitchen.text(template) == "1+2"


def test_values_are_rendered_into_the_url(kitchen: Kitchen, content: Content) -> None:
    url = content.url + "/json?customer={{${user_id} | url_param_escape}}&limit=3"
    kitchen.text(f"{{% connected_content {url} :save r %}}{{{{ r.customer }}}}")
    assert content.asked[0]["args"] == {"customer": "c&1", "limit": "3"}


def test_it_says_who_it_is_and_sends_the_named_credential(
    kitchen: Kitchen, content: Content
) -> None:
    kitchen.text(f"{{% connected_content {content.url}/text :basic_auth shop %}}")
    headers = content.asked[0]["headers"]
    assert headers["user-agent"] == BRAZE.user_agent
    assert headers["user-agent"].startswith("Braze Sender")
    assert headers["authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


def test_auth_credentials_are_a_header(kitchen: Kitchen, content: Content) -> None:
    kitchen.text(f"{{% connected_content {content.url}/text :auth_credentials shop %}}")
    assert content.asked[0]["headers"]["user"] == "password"


def test_headers_may_hold_values(kitchen: Kitchen, content: Content) -> None:
    headers = '{"X-Api-Key": "k1", "X-Who": "{{${first_name}}}"}'
    kitchen.text(f"{{% connected_content {content.url}/text :headers {headers} %}}")
    assert content.asked[0]["headers"]["x-api-key"] == "k1"
    assert content.asked[0]["headers"]["x-who"] == "Ann"


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        (":body a=b&c=d", "application/x-www-form-urlencoded", "a=b&c=d"),
        (":body a=b&c=d :content_type application/json", "application/json", '{"a":"b","c":"d"}'),
        (':body {"a": 1} :content_type application/json', "application/json", '{"a": 1}'),
    ],
)
def test_a_body_is_posted_in_the_asked_for_form(
    kitchen: Kitchen, content: Content, options: str, content_type: str, body: str
) -> None:
    kitchen.message(f"{{% connected_content {content.url}/json :method post {options} %}}")
    assert content.asked[0]["method"] == "POST"
    assert content.asked[0]["headers"]["content-type"] == content_type
    assert content.asked[0]["body"] == body


@pytest.mark.parametrize("path", ["/status/404", "/status/500", "/status/429", "/moved"])
def test_what_is_not_2xx_is_an_empty_string(kitchen: Kitchen, content: Content, path: str) -> None:
    template = f"[{{% connected_content {content.url}{path} :save r %}}{{{{ r }}}}{{{{ r.x }}}}]"
    assert kitchen.text(template) == "[]"
    assert len(content.asked) == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9", "ftp://127.0.0.1/x", "//nowhere", "http://", "http://[", "x",
     "http://203.0.113.1:8080/other-port", "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_bad_input_an_address_that_cannot_be_called_is_an_empty_string(
    kitchen: Kitchen, url: str
) -> None:
    started = clock.monotonic()
    assert kitchen.text(f"[{{% connected_content {url} %}}]") == "[]"
    assert clock.monotonic() - started < 1


def test_two_seconds_are_all_there_is(kitchen: Kitchen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = clock.monotonic()
        assert kitchen.text(f"[{{% connected_content {url} %}}]") == "[]"
        assert 1.9 < clock.monotonic() - started < 4


def test_retry_tries_five_times_and_then_aborts(
    kitchen: Kitchen, content: Content, time: FakeTime
) -> None:
    message = kitchen.message(f"x{{% connected_content {content.url}/status/500 :retry %}}")
    assert (message.state, len(content.asked)) == ("aborted", ATTEMPTS)
    assert time.naps == [0.5, 1.0, 2.0, 4.0]


def test_get_is_cached_by_url_for_five_minutes(
    kitchen: Kitchen, content: Content, time: FakeTime
) -> None:
    template = f"{{% connected_content {content.url}/text %}}"
    for _ in range(3):
        kitchen.text(template)
    assert len(content.asked) == 1
    time.now_s += 301
    kitchen.text(template)
    assert len(content.asked) == 2


@pytest.mark.parametrize(
    ("options", "calls"),
    [(":no_cache", 2), (":method post", 2), (":method post :cache_max_age 600", 1),
     (":cache_max_age 1", 1)],
)  # fmt: skip
def test_caching_follows_the_options(
    kitchen: Kitchen, content: Content, options: str, calls: int
) -> None:
    for _ in range(2):
        kitchen.message(f"x{{% connected_content {content.url}/json {options} %}}")
    assert len(content.asked) == calls


@pytest.mark.parametrize("path", ["/status/500", "/large"])
def test_failures_and_large_answers_are_not_cached(
    kitchen: Kitchen, content: Content, path: str
) -> None:
    for _ in range(2):
        kitchen.fetcher.fetch(Call(content.url + path))
    assert len(content.asked) == 2


def test_people_have_their_own_answers(kitchen: Kitchen, content: Content) -> None:
    url = content.url + "/json?customer={{${user_id}}}"
    template = f"{{% connected_content {url} :save r %}}{{{{ r.customer }}}}"
    assert kitchen.text(template, profile={"external_id": "a"}) == "a"
    assert kitchen.text(template, profile={"external_id": "b"}) == "b"


def test_what_is_observed_names_nobody(content: Content) -> None:
    seen: list[tuple[object, ...]] = []
    fetcher = Fetcher(observe=lambda *call: seen.append(call))
    fetcher.fetch(Call(content.url.replace("//", "//user:pw@") + "/json?customer=secret"))
    assert seen[0][:3] == ("GET", content.url + "/json", 200)
    assert "secret" not in str(seen)
