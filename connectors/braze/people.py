"""Who is who: identify, merge and delete profiles.

All three may be repeated: an alias that was identified, and a profile that was merged or deleted,
are not there a second time.

https://www.braze.com/docs/api/endpoints/user_data/post_user_identify/
https://www.braze.com/docs/api/endpoints/user_data/post_users_merge/
https://www.braze.com/docs/api/endpoints/user_data/post_user_delete/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.braze.answers import accepted, message
from connectors.errors import Split
from connectors.http import Client
from connectors.tool import in_batches

MOST = 50  # a request


def identify(
    client: Client, labels: Mapping[str, str], pairs: Sequence[tuple[str, str, str]]
) -> None:
    """(identifier kind, alias name, external id). ``labels``: identifier kind → alias label; kinds
    without one are no aliases in Braze and are not told.

    Raises Retry, Split or Stop.
    """
    for batch in in_batches((pair for pair in pairs if pair[0] in labels), MOST):
        aliases = [
            {
                "external_id": customer_id,
                "user_alias": {"alias_name": identifier, "alias_label": labels[kind]},
            }
            for kind, identifier, customer_id in batch
        ]
        body = {"aliases_to_identify": aliases, "merge_behavior": "merge"}
        _post(client, "/users/identify", body)


def merge(client: Client, pairs: Sequence[tuple[str, str]]) -> None:
    """(external id that goes, external id that stays). Raises Retry, Split or Stop."""
    for batch in in_batches(pairs, MOST):
        updates = [
            {
                "identifier_to_merge": {"external_id": gone},
                "identifier_to_keep": {"external_id": kept},
            }
            for gone, kept in batch
        ]
        _post(client, "/users/merge", {"merge_updates": updates})


def delete(client: Client, external_ids: Sequence[str]) -> None:
    """Profiles with all that Braze knows of them, for good. Raises Retry, Split or Stop."""
    for batch in in_batches(external_ids, MOST):
        _post(client, "/users/delete", {"external_ids": batch})


def _post(client: Client, path: str, body: Mapping[str, Any]) -> None:
    answer = client.request("POST", path, body=orjson.dumps(body))
    if accepted(client, answer).get("errors"):  # of some of them, without saying which
        raise Split(message(client, answer), status=answer.status)
