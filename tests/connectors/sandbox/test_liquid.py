from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.language import TemplateError
from connectors.sandbox.liquid_language import url_param_escape
from connectors.sandbox.rendering import split_subject
from connectors.sandbox.syntax import to_liquid
from connectors.sandbox.tags import split_options
from tests.connectors.sandbox.conftest import Kitchen


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{${user_id}}}", "c&1"),
        ("{{ ${first_name} | upcase }}", "ANN"),
        ("{{${last_name} | default: 'friend'}}", "friend"),
        ("{{custom_attribute.${rs items}}}", "ab"),
        ("{{campaign.${api_id}}} {{campaign.${name}}}", "camp-1 Spring"),
        ('{"a":{{custom_attribute.${n}}}}', '{"a":7}'),
        ("{% if custom_attribute.${n} > 5 %}many{% endif %}", "many"),
        ("{% if ${nobody} %}x{% else %}none{% endif %}", "none"),
        ("{{api_trigger_properties.${code}}}", "SAVE5"),
        ("price ${not_liquid} stays", "price ${not_liquid} stays"),
        ("{% raw %}{{${user_id}}}{% endraw %}", "{{${user_id}}}"),
        ("{{${user_id} | url_param_escape}}", "c%261"),
        ("{{ 'a b&c' | url_encode }}", "a+b%26c"),
        ("{{ 'http://x/a b?c=d' | url_escape }}", "http://x/a%20b?c=d"),
        ("{{ 'say \"hi\"' | json_escape }}", 'say \\"hi\\"'),
        ("{{ custom_attribute.${n} | as_json_string }}", "7"),
    ],
)
def test_brazes_notation_renders(kitchen: Kitchen, template: str, expected: str) -> None:
    profile = {
        "external_id": "c&1", "first_name": "Ann",
        "custom_attributes": {"rs items": ["a", "b"], "n": 7},
    }  # fmt: skip
    properties = {"code": "SAVE5"}
    assert kitchen.text(template, profile=profile, properties=properties) == expected


@given(st.text(alphabet="ab{}%$ \n'\"", max_size=40))
def test_rewriting_never_fails_and_leaves_plain_text_alone(template: str) -> None:
    rewritten = to_liquid(template)
    if "${" not in template:
        assert rewritten == template


@given(st.text(max_size=50))
def test_an_escaped_parameter_has_no_delimiter(text: str) -> None:
    assert not set(url_param_escape(text)) & set("&=?#/+ \"'")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_abort_message_leaves_the_person_out_with_the_reason(kitchen: Kitchen, quote: str) -> None:
    message = kitchen.message(f"Hello {{% abort_message({quote}no items{quote}) %}}")
    assert (message.state, message.reason, message.body) == ("aborted", "no items", "")


def test_abort_message_without_a_reason_aborts_too(kitchen: Kitchen) -> None:
    assert kitchen.message("{% abort_message() %}").state == "aborted"


def test_a_subject_line_is_split_off(kitchen: Kitchen) -> None:
    message = kitchen.message("\nSubject: Hi {{${first_name}}}\n\nBody\n")
    assert (message.subject, message.body) == ("Hi Ann", "Body")
    assert split_subject("Subject") == ("", "Subject")


def test_a_message_without_text_is_failed_not_sent(kitchen: Kitchen) -> None:
    assert kitchen.message("{% if false %}x{% endif %}").state == "failed"


@pytest.mark.parametrize(
    "template",
    ["{% for x in %}", "{{ x | no_such_filter }}{% endfor %}", "{% if x %}", "{% nothing %}",
     "{% abort_message 'x' %}", "{% connected_content %}",
     "{% connected_content http://x y %}", "{% connected_content http://x :basic_auht y %}",
     "{% connected_content http://x :save 9x %}", "{% connected_content http://x :method put %}",
     "{% connected_content http://x :cache_max_age long %}"],
)  # fmt: skip
def test_bad_input_a_template_that_cannot_be_read_is_refused(
    kitchen: Kitchen, template: str
) -> None:
    with pytest.raises(TemplateError):
        kitchen.renderer.parse(template)


@pytest.mark.parametrize(
    "template",
    ["{{ ${user_id} | no_such_filter }}", "{% for i in (1..1000000) %}{{ i }}{% endfor %}",
     "{% connected_content http://127.0.0.1:9 :basic_auth nobody %}",
     "{% connected_content http://127.0.0.1:9 :headers nonsense %}"],
)  # fmt: skip
def test_bad_input_a_template_that_breaks_for_a_person_fails_with_a_reason(
    kitchen: Kitchen, template: str
) -> None:
    message = kitchen.message(template)
    assert message.state == "failed"
    assert message.reason


def test_an_error_names_its_line(kitchen: Kitchen) -> None:
    with pytest.raises(TemplateError, match="line 3"):
        kitchen.renderer.parse("one\ntwo\n{% nothing %}")


def test_options_are_split_outside_of_outputs() -> None:
    text = 'http://x?a={{ y | replace: " :save z", "" }} :headers {"A": "b c"} :save q :retry'
    url, options = split_options(text)
    assert url == 'http://x?a={{ y | replace: " :save z", "" }}'
    assert options == {"headers": '{"A": "b c"}', "save": "q", "retry": ""}
