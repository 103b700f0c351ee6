"""Jinja as MoEngage has it, and Klaviyo's templates, which are Django's.

Both are rendered by Jinja's sandboxed environment; Klaviyo's notation is rewritten first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Template, Undefined, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connectors.sandbox.language import BrokenError, SkippedError, TemplateError

CatalogOf = Callable[[str], Mapping[str, Any] | None]

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
COMMENT = re.compile(r"\{%\s*comment\s*%\}.*?\{%\s*endcomment\s*%\}", re.DOTALL)
CATALOG = re.compile(r"^\{%\s*catalog\s+([^\s%]+)[^%]*%\}$")
ARGUMENT = re.compile(r"\|\s*(\w+):('[^']*'|\"[^\"]*\"|[\w.]+)")


# what an expression of a template can end with
FAILURES = (JinjaError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
HIGHEST_POWER = 100


class Bounded(ImmutableSandboxedEnvironment):
    """A template that runs away ends with an error, not with the process."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise BrokenError(f"{operator} takes numbers")
        if operator == "**" and abs(right) > HIGHEST_POWER:
            raise BrokenError(f"** goes up to {HIGHEST_POWER}")
        return super().call_binop(context, operator, left, right)


class Jinja:
    """``rewrite`` makes plain Jinja of a dialect."""

    def __init__(self, env: Bounded, rewrite: Callable[[str], str] = lambda text: text) -> None:
        self._env = env
        self._rewrite = rewrite

    def parse(self, text: str) -> JinjaTemplate:
        try:
            return JinjaTemplate(self._env.from_string(self._rewrite(text)))
        except TemplateSyntaxError as error:
            raise TemplateError(f"line {error.lineno}: {error.message}"[:300]) from error
        except JinjaError as error:
            raise TemplateError(str(error)[:300]) from error


class JinjaTemplate:
    def __init__(self, template: Template) -> None:
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        try:
            return self._template.render(values)
        except FAILURES as error:
            raise BrokenError(f"{type(error).__name__}: {error}"[:300]) from error
        except RecursionError:
            raise BrokenError("the template is nested too deeply") from None


class NotSend(Extension):
    """``{% MOE_NOT_SEND("reason") %}``"""

    tags = {"MOE_NOT_SEND"}  # noqa: RUF012  Jinja's own way

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        parser.stream.expect("lparen")
        reason = parser.parse_expression()
        parser.stream.expect("rparen")
        return nodes.ExprStmt(self.call_method("skip", [reason]), lineno=line)

    def skip(self, reason: object) -> None:
        raise SkippedError(str(reason))


def moengage() -> Jinja:
    """Nothing is escaped by itself; a value that is missing where it is printed stops the message.

    https://help.moengage.com/hc/en-us/articles/115002757783-MoEngage-Templating-Language-JINJA
    """

    def present(value: Any) -> Any:
        if value is None or isinstance(value, Undefined):
            raise SkippedError("personalization failed: a value is missing")
        return value

    return Jinja(Bounded(autoescape=False, finalize=present, extensions=[NotSend]))


class DjangoLookup(Bounded):
    """``a.items`` is the key "items" before it is the method of a dictionary."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def klaviyo(catalog_of: CatalogOf) -> Jinja:
    """``catalog_of`` gives the item of an id for ``{% catalog id %}``.

    https://help.klaviyo.com/hc/en-us/articles/360004785571
    """

    def catalog(item_id: object) -> Mapping[str, Any]:
        found = catalog_of(str(item_id))
        if found is None:
            raise BrokenError(f"the catalog has no item {str(item_id)[:80]}")
        return found

    env = DjangoLookup(autoescape=True)
    env.globals["catalog_"] = catalog
    env.filters["lookup"] = lambda found, name: found.get(name) if found else None
    env.filters["slice"] = lambda found, text: found and list(found)[: int(text.strip(":"))]
    env.filters["default"] = lambda value, other: value or other
    return Jinja(env, from_django)


def from_django(text: str) -> str:
    """The same template in Jinja's notation."""
    return TAG.sub(lambda tag: _rewritten(tag.group()), COMMENT.sub("", text))


def _rewritten(tag: str) -> str:
    opened = CATALOG.match(tag)
    if opened:
        return "{% with catalog_item = catalog_(" + opened[1] + ") %}"
    if re.fullmatch(r"\{%\s*endcatalog\s*%\}", tag):
        return "{% endwith %}"
    return ARGUMENT.sub(r"|\1(\2)", tag)
