"""What the Braze double holds, in the terms in which all doubles are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.sandbox.campaigns import Campaigns
from connectors.sandbox.dials import Dials
from connectors.sandbox.profiles import Profiles

PAGE = 5_000


@dataclass(frozen=True)
class BrazeView:
    """See connectors.sandbox.tools.base.ToolDouble for what each method says."""

    profiles: Profiles
    campaigns: Campaigns
    dials: Dials

    def held(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while page := self.profiles.page(after, PAGE):
            found |= {row["external_id"]: row["custom_attributes"] for row in page}
            after = page[-1]["external_id"]
        return {customer: attributes for customer, attributes in found.items() if attributes}

    def members(self, segment_id: str) -> list[str]:
        return self.profiles.members(segment_id)

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        return {}

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        return [
            {"customer_id": message["external_id"]}
            for message in self.campaigns.messages(campaign_id, after="", count=PAGE)
        ]
