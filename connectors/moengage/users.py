"""Identity: one user instead of two, and nobody who must not be there.

https://www.moengage.com/docs/api/user/merge-users
https://www.moengage.com/docs/api/user/delete-users
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.errors import nothing_to_split
from connectors.moengage.workspace import MoEngageWorkspace
from connectors.tool import in_batches
from scoring.columns import EXTERNAL_ID

PAIRS_PER_REQUEST = 100  # 100 kB at most, with ids of 512 bytes
ABSENT = "Not Found"


def identify(workspace: MoEngageWorkspace, pairs: Sequence[tuple[str, str, str]]) -> None:
    """(identifier kind, identifier, customer id): another external id is merged. Devices and
    hashed addresses are linked by MoEngage's own SDK and are left out. Raises Retry or Stop."""
    merge(workspace, [(found, customer) for kind, found, customer in pairs if kind == EXTERNAL_ID])


def merge(workspace: MoEngageWorkspace, pairs: Sequence[tuple[str, str]]) -> None:
    """(gone customer id, staying customer id). MoEngage passes over pairs that it cannot merge.
    Raises Retry or Stop."""
    for batch in in_batches(pairs, PAIRS_PER_REQUEST):
        data = [{"merged_user": gone, "retained_user": staying} for gone, staying in batch]
        _post(workspace, "merge", {"merge_data": data})


def erase(workspace: MoEngageWorkspace, customer_ids: Sequence[str]) -> None:
    """Delete users, one a request; MoEngage forgets them within a day. Who is not there is fine.
    Raises Retry or Stop."""
    for customer_id in customer_ids:
        user = {"identity_type": "customer_id", "identity_value": customer_id}
        _post(workspace, "delete", user, fine=ABSENT)


def _post(
    workspace: MoEngageWorkspace, action: str, body: Mapping[str, Any], fine: str = ""
) -> None:
    path = f"/v1/customer/{action}?app_id={workspace.workspace_id}"
    with nothing_to_split():
        workspace.post(path, orjson.dumps(body), fine=fine)
