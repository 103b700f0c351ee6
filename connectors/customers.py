"""How a customer of ours is called in a host tool: by the tool's external id, which is ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from connectors.errors import Reject
from connectors.tool import Limits, Window
from scoring.columns import EXTERNAL_ID, IDENTIFIER_KINDS

ANONYMOUS = tuple(f"{kind}:" for kind in IDENTIFIER_KINDS if kind != EXTERNAL_ID)
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class CustomerTarget:
    """Base of a target whose keys are customers; what it says is the same for all of its kind."""

    limits: ClassVar[Limits]
    windows: ClassVar[Sequence[Window]] = ()

    def addressable(self, customer_id: str) -> bool:
        """Whoever has an external id."""
        return has_external_id(customer_id)


class AddressTarget(CustomerTarget):
    """The same for a tool that knows people by their e-mail addresses, and by no id of ours."""

    def addressable(self, customer_id: str) -> bool:
        """Whoever's external id is an address."""
        return super().addressable(customer_id) and ADDRESS.fullmatch(customer_id) is not None


def has_external_id(customer_id: str) -> bool:
    """A customer known by a device or an alias only is called "kind:identifier" here and has no
    external id."""
    return bool(customer_id) and not customer_id.startswith(ANONYMOUS)


def external_id(customer_id: str, *, most_bytes: int) -> str:
    """Raises Reject when it is longer than the tool takes."""
    if len(customer_id.encode()) > most_bytes:
        raise Reject(f"the external id is longer than {most_bytes} bytes")
    return customer_id
