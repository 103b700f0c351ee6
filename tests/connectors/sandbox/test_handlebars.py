from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.handlebars import Handlebars
from connectors.sandbox.language import BrokenError, SkippedError, TemplateError

VALUES = {
    "person": {
        "userId": "c&1 '",
        "first": "Ann",
        "empty": "",
        "nobody": None,
        "vip": True,
        "tags": ["a", "b"],
        "home": {"city": "Seoul", "rooms": [{"name": "Bath"}]},
    },
    "feed": {"shop": {"items": [{"name": "<b>"}, {"name": "Milk"}], "none": []}},
}


def rendered(template: str, values: dict[str, Any] = VALUES) -> str:
    return Handlebars().parse(template).render(values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{first}}{{! a note }}{{!-- {{first}} --}}!", "Hi Ann!"),
        ("{{userId}} {{{userId}}}", "c&amp;1 &#x27; c&1 '"),
        ("{{home.city}} {{home.rooms.[0].name}} {{home.rooms.9.name}}", "Seoul Bath "),
        ("{{#urlEncode}}{{{userId}}}{{/urlEncode}}", "c%261+%27"),
        ("{{missing}}{{missing.deeper}}{{nobody}}|{{vip}}", "|true"),
        ("{{#if vip}}yes{{else}}no{{/if}}", "yes"),
        ("{{#if empty}}yes{{else}}no{{/if}}", "no"),
        ("{{#unless nobody}}yes{{/unless}}", "yes"),
        ("{{#each tags}}{{this}},{{/each}}", "a,b,"),
        ("{{#each missing}}x{{else}}none{{/each}}", "none"),
        ("{{#each home.rooms}}{{name}} of {{../first}}{{/each}}", "Bath of Ann"),
        ("{{defaultIfEmpty empty 'friend'}} {{defaultIfEmpty first \"x\"}}", "friend Ann"),
        ("[[#each shop.items]][[name]] [[{name}]];[[/each]]", "&lt;b&gt; <b>;Milk Milk;"),
        ("[[#if shop.none]]x[[else]]empty[[/if]]", "empty"),
        ("[[first]]{{shop.items}}", ""),
        ("a [link] and {text} <!--[if mso]>x<![endif]-->",
         "a [link] and {text} <!--[if mso]>x<![endif]-->"),
    ],
)  # fmt: skip
def test_usual_templates_render(template: str, expected: str) -> None:
    assert rendered(template) == expected


def test_send_skip_leaves_the_person_out_with_the_cause() -> None:
    template = '[[#if shop.none]]x[[else]][[sendSkip cause="no items"]][[/if]]'
    with pytest.raises(SkippedError, match="no items"):
        rendered(template)
    assert rendered("{{#if empty}}{{sendSkip cause='x'}}{{/if}}on") == "on"


def test_what_a_feed_says_is_never_read_as_template() -> None:
    hostile = {"person": {"secret": "s3"}, "feed": {"shop": {"name": "{{secret}} [[shop]]"}}}
    assert rendered("[[{shop.name}]]", hostile) == "{{secret}} [[shop]]"


@given(st.text(alphabet="{}[]#/ab.!~-='\" ", max_size=40))
def test_any_text_is_rendered_or_refused(template: str) -> None:
    try:
        read = Handlebars().parse(template)
    except TemplateError:
        return
    try:
        assert isinstance(read.render(VALUES), str)
    except BrokenError as problem:
        assert str(problem)


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("one\n{{#if x}}", "#if is not closed"),
        ("one\n\n{{/if}}", "line 3: /if closes nothing"),
        ("{{#if x}}[[/if]]", "closes nothing"),
        ("{{#if}}x{{/if}}", "takes 1 value"),
        ("{{#dateMath x}}{{/dateMath}}", "unknown helper #dateMath"),
        ("{{if (eq a b)}}", "cannot read"),
        ("{{cause='x'}}", "cannot read"),
        ("{{#if a}}" * 60 + "{{/if}}" * 60, "nested too deeply"),
    ],
)
def test_bad_input_a_template_that_cannot_be_read_is_refused(template: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        Handlebars().parse(template)


def test_bad_input_an_unknown_helper_and_an_endless_message_break() -> None:
    with pytest.raises(BrokenError, match="unknown helper upper"):
        rendered("{{upper first}}")
    values = {"person": {"all": [{"all": ["x" * 1000] * 100}] * 100}, "feed": {}}
    with pytest.raises(BrokenError, match="too large"):
        rendered("{{#each all}}{{#each all}}{{this}}{{/each}}{{/each}}", values)
