"""Jobs: a request that is accepted at once, carried out later, and must be asked about.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.errors import Retry, Split
from connectors.http import Answer, require_object
from connectors.klaviyo.api import Api, attributes_of, resource_id
from connectors.rate import Rate
from connectors.tool import Outcome


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

    def outcome(self, refused: Iterable[tuple[object, str]], count: int) -> Outcome:
        """``refused`` are those of the job's ``count`` records that it names."""
        named = Outcome.refusing(refused, count, self.rate)
        if self.failed <= len(named.rejected) + len(named.unlocated):
            return named
        return replace(named, unlocated=(*named.unlocated, "refused, Klaviyo did not say which"))


def finish(api: Api, path: str, resource: Mapping[str, Any]) -> Ended:
    """Start a job and wait for its end. Raises Retry, Stop, and Split when all of it was
    refused."""
    started = api.call("POST", path, {"data": resource})
    job_id = resource_id(require_object(started).get("data"))
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
