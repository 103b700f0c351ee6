from __future__ import annotations

import pytest

from connectors.sandbox.jinja_languages import Jinja, from_django, klaviyo, moengage
from connectors.sandbox.language import BrokenError, SkippedError, TemplateError

CATALOG = {"i1": {"title": "<Milk>", "url": "https://shop.example/i1"}}
PERSON = {"rs_items": ["i1", "i2"], "first_name": "Ann & Co", "Favourite Colour": "red"}
FEED = {"items": [{"name": "Tea"}], "ok": True}


def in_klaviyo(template: str) -> str:
    values = {"person": PERSON, "first_id": "i1", "first_name": "Ann & Co", "feeds": {"shop": FEED}}
    return klaviyo(CATALOG.get).parse(template).render(values)


def in_moengage(template: str) -> str:
    values = {"UserAttribute": {"First Name": "<Ann>", "nothing": None}, "answer": FEED}
    return moengage().parse(template).render(values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ first_name }} {{ first_name|safe }}", "Ann &amp; Co Ann & Co"),
        ("{{ person|lookup:'Favourite Colour' }}", "red"),
        ("{{ person|lookup:'nothing'|default:'friend' }}", "friend"),
        ("{% comment %}{{ x|y:'z' }} {% nothing %}{% endcomment %}on", "on"),
        ("{% for id in person|lookup:'rs_items'|slice:':1' %}{{ id }}{% endfor %}", "i1"),
        ("{% catalog 'i1' %}{{ catalog_item.title }}{% endcatalog %}", "&lt;Milk&gt;"),
        ("{% catalog first_id unpublished='cancel' %}{{ catalog_item.url }}{% endcatalog %}",
         "https://shop.example/i1"),
        ("{% for item in feeds.shop.items %}{{ item.name }}{% endfor %}", "Tea"),
        ("{% if feeds.shop.ok and not feeds.shop.fallback %}good{% endif %}", "good"),
        ("{{ missing }}|", "|"),
    ],
)  # fmt: skip
def test_klaviyos_notation_renders(template: str, expected: str) -> None:
    assert in_klaviyo(template) == expected


def test_an_item_that_klaviyos_catalog_lacks_breaks_the_message() -> None:
    with pytest.raises(BrokenError, match="no item i2"):
        in_klaviyo("{% catalog 'i2' %}{{ catalog_item.title }}{% endcatalog %}")


def test_text_outside_of_tags_is_left_alone() -> None:
    assert from_django("a|b:'c' {{ x|y:'z' }}") == "a|b:'c' {{ x|y('z') }}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ UserAttribute['First Name'] }}", "<Ann>"),
        ("{{ UserAttribute['First Name']|e }}", "&lt;Ann&gt;"),
        ("{{ UserAttribute['nothing'] or 'friend' }}", "friend"),
        ("{# note {{ x }} #}{% for i in answer['items'] %}{{ i.name }}{% endfor %}", "Tea"),
    ],
)
def test_moengages_jinja_renders(template: str, expected: str) -> None:
    assert in_moengage(template) == expected


def test_moengage_leaves_out_whom_the_template_or_a_missing_value_says() -> None:
    with pytest.raises(SkippedError, match="no items"):
        in_moengage('Hi{% MOE_NOT_SEND("no items") %}')
    for template in ("{{ UserAttribute['nothing'] }}", "{{ UserAttribute['other'] }}"):
        with pytest.raises(SkippedError, match="a value is missing"):
            in_moengage(template)


@pytest.mark.parametrize(
    "language", [moengage(), klaviyo(CATALOG.get)], ids=["moengage", "klaviyo"]
)
@pytest.mark.parametrize("template", ["{% if %}", "{{ x", "{% for x in y %}", "{% nothing %}"])
def test_bad_input_a_template_that_cannot_be_read_is_refused(
    language: Jinja, template: str
) -> None:
    with pytest.raises(TemplateError):
        language.parse(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ answer.update({'ok': 1}) }}",
        "{% for i in range(100000000) %}{% endfor %}",
        "{{ 1 // 0 }}",
        "{{ 1 + 'a' }}",
        "{{ 'a' * 10000000000 }}",
        "{{ 9 ** 9999999 }}",
        "{{ ['a'][7].x }}",
    ],
)
def test_bad_input_a_template_that_reaches_too_far_breaks(template: str) -> None:
    with pytest.raises((BrokenError, SkippedError)):
        in_moengage(template)
