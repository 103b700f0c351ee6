"""What the Braze double holds, in the terms in which all doubles are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.sandbox.braze_catalogs import CatalogsApi
from connectors.sandbox.braze_messaging import MessagingApi
from connectors.sandbox.dials import Dials
from connectors.sandbox.profiles import Profiles

PAGE = 5_000
SEGMENTS_ATTRIBUTE = "rightsend_segments"  # as the option segments_attribute has it


@dataclass(frozen=True)
class BrazeView:
    """See connectors.sandbox.tools.base.ToolDouble for what each method says."""

    profiles: Profiles
    dials: Dials
    catalogs: CatalogsApi
    messaging: MessagingApi

    def held(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while page := self.profiles.page(after, PAGE):
            found |= {row["external_id"]: row["custom_attributes"] for row in page}
            after = page[-1]["external_id"]
        return {customer: attributes for customer, attributes in found.items() if attributes}

    def members(self, segment_id: str) -> list[str]:
        """Of the cohort, or of the array attribute of segments."""
        by_attribute = (
            customer
            for customer, attributes in self.held().items()
            if segment_id in attributes.get(SEGMENTS_ATTRIBUTE, [])
        )
        return sorted({*self.profiles.members(segment_id), *by_attribute})

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        return self.catalogs.items(name)

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        return self.messaging.triggered(campaign_id)
