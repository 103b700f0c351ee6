"""What the options of several connectors have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import marshmallow
from marshmallow import fields, validate

from connectors.errors import Stop
from settings.workspace import ConnectionSettings

CATALOG_FIELDS = ("name", "brand", "category", "price", "image_url", "url", "sellable")
KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)
SOMETHING = validate.Length(min=1)


class ConnectorOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE


def timeout_option(
    default_s: float = 30.0, description: str = "Seconds to wait for an answer"
) -> fields.Float:
    """The option ``timeout_s``."""
    return fields.Float(
        load_default=default_s,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": description},
    )


class ApiOptions(ConnectorOptions):
    """Of a tool that is asked over HTTP."""

    timeout_s = timeout_option()


def secret_option(description: str, *, required: bool = True) -> fields.String:
    """A key, which a header can carry and no document or report shows."""
    return fields.String(
        required=required,
        validate=KEY,
        metadata={"description": description, "secret": True},
    )


def text_option(pattern: str, description: str, *, error: str | None = None) -> fields.String:
    """Text that is needed and fits a pattern from its first to its last character; ``error`` says
    which."""
    return fields.String(
        required=True,
        validate=validate.Regexp(rf"(?:{pattern})\Z", error=error),
        metadata={"description": description},
    )


def choice_option(
    choices: Iterable[str], description: str, default: str | None = None
) -> fields.String:
    """One of ``choices``, which may be a table of hosts; needed unless there is a default."""
    return fields.String(
        required=default is None,
        load_default=marshmallow.missing if default is None else default,
        validate=validate.OneOf(list(choices)),
        metadata={"description": description},
    )


def flag_option(description: str, *, default: bool) -> fields.Boolean:
    """Yes or no."""
    return fields.Boolean(load_default=default, metadata={"description": description})


def catalog_option(
    check: Callable[[str], object],
    description: str = "Name of the catalog that is to follow the shop's items; made if missing",
) -> fields.String:
    """The option ``catalog``."""
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=check,
        metadata={"description": description},
    )


def catalog_fields_option(
    described: str = "What the catalog holds of an item besides its id",
    check: Callable[[list[str]], object] = SOMETHING,
) -> fields.List:
    """The option ``catalog_fields``."""
    return fields.List(
        fields.String(validate=validate.OneOf(CATALOG_FIELDS)),
        load_default=list(CATALOG_FIELDS),
        validate=check,
        metadata={"description": described},
    )


def chosen_host(connection: ConnectionSettings, option: str, hosts: Mapping[str, str]) -> str:
    """The host that an option names. A fixed table: a key that is sent to a host of an attacker's
    choice is lost. Raises Stop for what is not in it."""
    name = connection.options[option]
    if name not in hosts:
        raise Stop(f"connection {connection.name}: there is no {option} {name!r}")
    return hosts[name]
