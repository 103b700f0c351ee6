"""Jobs: a request that is accepted at once, carried out later, and must be asked about.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import Retry, Split
from connectors.http import Answer
from connectors.klaviyo.api import Api, attributes_of, resource_id
from connectors.rate import Rate


@dataclass(frozen=True)
class Ended:
    """A job that was carried out; some of its records may have failed."""

    job_id: str
    attributes: Mapping[str, Any]
    rate: Rate

    @property
    def failed(self) -> int:
        """How many; 1 when Klaviyo says it in a way that nobody knows."""
        count = self.attributes.get("failed_count")
        return count if type(count) is int else int(bool(count))


def finish(api: Api, path: str, resource: Mapping[str, Any]) -> Ended:
    """Start a job and wait for its end. Raises Retry, Stop, and Split when all of it was
    refused."""
    started = api.call("POST", path, {"data": resource})
    if not isinstance(started.body, dict):
        raise Retry("a page instead of JSON, so nobody knows", status=started.status)
    job_id = resource_id(started.body.get("data"))
    if job_id is None:
        raise Split("Klaviyo took the request and named no job", status=started.status)
    ended = api.patiently(lambda: _ended(api, f"{path}/{job_id}"))
    attributes = attributes_of(ended.body["data"])
    if attributes.get("status") == "cancelled":
        raise Retry("the job was cancelled in Klaviyo")
    return Ended(job_id, attributes, tighter(started.rate, ended.rate))


def _ended(api: Api, path: str) -> Answer:
    answer = api.read(path)
    status = attributes_of(answer.body["data"]).get("status")
    if status in ("complete", "cancelled"):
        return answer
    raise Retry(f"the job is {api.client.reason(status)}")


def tighter(a: Rate, b: Rate) -> Rate:
    """Each call has windows of its own: go by the one with less left."""
    if a.remaining is None or b.remaining is None:
        return b if a.remaining is None else a
    return a if a.remaining < b.remaining else b
