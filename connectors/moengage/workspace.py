"""One MoEngage workspace: its addresses, and how its answers are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.customers import external_id
from connectors.errors import Reject, Split
from connectors.http import Answer, Client, as_object, require_object

LONGEST_ID_BYTES = 512
# Values that apps send for "nobody in particular"; MoEngage takes none of them as a user.
# https://developers.moengage.com/hc/en-us/articles/4404440336148-Tracking-User-Attributes
NOBODY = frozenset(
    {"unknown", "guest", "null", "0", "1", "true", "false", "user_attribute_unique_id", "(empty)",
     "na", "n/a", "dummy_seller_code", "user_id", "id", "customer_id", "uid", "userid", "none",
     "-2", "-1", "2"}
)  # fmt: skip


@dataclass(frozen=True)
class MoEngageWorkspace:
    """``workspace_id`` also is the user name of every call."""

    client: Client
    workspace_id: str

    def post(self, path: str, body: bytes, *, fine: str = "") -> Answer:
        """A successful answer, or an error of the type ``fine``.

        Raises Retry, Stop, and Split for what is refused because of what is in it.
        """
        answer = self.client.request("POST", path, body=body)
        if fine and _error(answer).get("type") == fine:
            return answer
        if answer.status in (400, 413):
            raise Split(self.message(answer), status=answer.status, request_id=answer.request_id)
        if require_object(answer).get("status") != "success":
            raise Split(self.message(answer), status=answer.status, request_id=answer.request_id)
        return answer

    def message(self, answer: Answer) -> str:
        """MoEngage's own words, with the field they are about."""
        told = answer.told
        text = _error(answer).get("message") or told.get("description") or told.get("message")
        return self.client.reason(text or f"HTTP {answer.status}")


def user_id(customer_id: str) -> str:
    """The id itself. Raises Reject when MoEngage takes nobody under it."""
    if customer_id.lower() in NOBODY:
        raise Reject("MoEngage takes no user of this id: it stands for nobody in particular")
    return external_id(customer_id, most_bytes=LONGEST_ID_BYTES)


def _error(answer: Answer) -> Mapping[str, Any]:
    return as_object(answer.told.get("error"))
