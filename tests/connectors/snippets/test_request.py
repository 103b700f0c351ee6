from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.snippets import MARKS, WORDS, Request, SnippetError, address, parameters

BASE = "https://rightsend.example.com"


def made(kind: str = "for-you", **wanted: Any) -> Request:
    return Request(kind, **{"base_url": BASE, **wanted})


def escaped(inside: str) -> str:
    return f"<{inside}>"


def test_the_address_names_customer_campaign_and_limit_in_this_order() -> None:
    asked = parameters(made(), escaped, customer="{{ id }}", campaign="{{ c.id }}")
    assert address(made(), asked) == (
        f"{BASE}/v1/content/for-you?customer=<id>&campaign=<c.id>&limit=3&channel=email"
    )


def test_a_campaign_that_was_given_comes_before_the_tools_own() -> None:
    asked = parameters(made(campaign="spring"), escaped, campaign="{{ c.id }}")
    assert asked["campaign"] == "spring"


def test_a_text_names_the_channel_that_it_is_told() -> None:
    asked = parameters(made(html=False, channel="push"), escaped)
    assert asked["channel"] == "push"
    assert "channel" not in parameters(made(html=False), escaped)


def test_more_parameters_follow_escaped_or_as_tags() -> None:
    more = (("brand", "Ben & Jerry"), ("max_price", "{{ budget }}"))
    asked = parameters(made(parameters=more), escaped)
    assert (asked["brand"], asked["max_price"]) == ("Ben%20%26%20Jerry", "<budget>")


def test_a_landing_link_asks_for_one_item_only() -> None:
    request = made("landing", base_url=f"{BASE}/crm/", limit=9)
    assert address(request, parameters(request, escaped)) == (
        f"{BASE}/crm/v1/content/for-you?limit=1&channel=email"
    )


@given(st.text(min_size=1, max_size=40).filter(lambda text: not MARKS.search(text)))
def test_an_id_arrives_as_it_was_given(item: str) -> None:
    request = made("related", item=item)
    query = urlsplit(address(request, parameters(request, escaped))).query
    assert parse_qs(query, keep_blank_values=True, errors="surrogatepass")["item"] == [item]


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["ko"].keys()


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"kind": "coupons"}, "found 'coupons', expected one of for-you, related"),
        ({"locale": "fr"}, "expected en or ko"),
        ({"base_url": "rightsend.example.com"}, "address: found"),
        ({"base_url": "https://a b.example"}, "address: found"),
        ({"base_url": 'https://x.example/"%}'}, "address: found"),
        ({"base_url": "https://user:pw@x.example"}, "address: found"),
        ({"limit": 0}, "limit: found 0"),
        ({"kind": "related"}, "related needs an item"),
        ({"item": "i1"}, "for-you takes no item"),
        ({"items": "i1"}, "for-you takes no items"),
        ({"kind": "rank"}, "rank needs items"),
        ({"parameters": (("limit", "3"),)}, "'limit' cannot be set"),
        ({"parameters": (("a&b", "3"),)}, "cannot be set"),
        ({"parameters": (("brand", "{{ a }}{% b %}"),)}, "brand: found"),
        ({"channel": "{%"}, "channel: found"),
        ({"top_items": "x' %}"}, "cannot be named in a template"),
    ],
)
def test_bad_input_what_cannot_be_asked_is_named(wanted: dict[str, Any], problem: str) -> None:
    with pytest.raises(SnippetError, match=problem):
        made(**wanted)


@pytest.mark.parametrize(
    "given",
    ["x #}{{ secret }}{#", "x{% endcomment %}{{ secret }}", "x --}} y", "{{a}} %}{{ b }}",
     "{{a %} {% b}}", "{{a\n    :retry}}", "a\nb", "[[x]]", "{{#each p}}", "{{!-- x}}", "{{ }}"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["item", "campaign"])
def test_bad_input_an_id_or_tag_that_would_leave_its_place_is_refused(
    name: str, given: str
) -> None:
    with pytest.raises(SnippetError, match=f"{name}: found .*, expected an id or one tag"):
        made(**{"kind": "related", "item": "i1", name: given})


@pytest.mark.parametrize(
    "item",
    ["sku 1/2&x=1#é", "우유 | 1 L", "{{event_properties.${item_id}}}", "{{ lastViewedId }}",
     "{{UserAttribute['Last Item']}}"],
)  # fmt: skip
def test_ids_and_tags_as_tools_have_them_are_taken(item: str) -> None:
    assert made(kind="related", item=item).item == item
