"""What a person sees in the browser: campaigns, messages, profiles, calls; all read-only."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, render_template, request

from connectors.sandbox.campaigns import Campaigns
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.requests_log import RequestLog
from connectors.sandbox.storage import Storage

LINK = re.compile(r"https?://[^\s<>\"']+")
STATES = ("sent", "aborted", "failed")
PAGE = 50


class Pages:
    def __init__(
        self, storage: Storage, profiles: Profiles, campaigns: Campaigns, log: RequestLog
    ) -> None:
        self._storage = storage
        self._profiles = profiles
        self._campaigns = campaigns
        self._log = log

    def blueprint(self) -> Blueprint:
        pages = Blueprint(
            "pages", __name__, template_folder="templates", static_folder="static",
            static_url_path="/assets",
        )  # fmt: skip
        for path, view in (
            ("/", self.overview),
            ("/outbox/<campaign_id>", self.outbox),
            ("/profiles", self.profiles),
            ("/profile", self.profile),
            ("/calls", self.calls),
        ):
            pages.add_url_rule(path, view.__name__, view)
        pages.add_app_template_filter(pieces, "pieces")
        return pages

    def overview(self) -> str:
        return render_template(
            "sandbox/overview.html",
            campaigns=self._campaigns.all(),
            cohorts=self._profiles.cohorts(),
            messages=self._campaigns.newest(12),
            profiles=self._storage.number("SELECT count(*) FROM profile"),
            counts=self._log.counts(),
        )

    def outbox(self, campaign_id: str) -> str:
        campaign = self._campaigns.get(campaign_id) or abort(404)
        state = request.args.get("state")
        messages = self._campaigns.messages(
            campaign_id,
            after=request.args.get("after", ""),
            count=PAGE,
            state=state if state in STATES else None,
        )
        return render_template(
            "sandbox/outbox.html", campaign=campaign, messages=messages, state=state,
            states=STATES, page=PAGE,
        )  # fmt: skip

    def profiles(self) -> str:
        listed = self._profiles.page(request.args.get("after", ""), PAGE)
        return render_template("sandbox/profiles.html", profiles=listed, page=PAGE)

    def profile(self) -> str:
        external_id = request.args.get("external_id", "")
        profile = self._profiles.get(external_id) or abort(404)
        messages = self._campaigns.newest(20, external_id)
        return render_template("sandbox/profile.html", profile=profile, messages=messages)

    def calls(self) -> str:
        return render_template("sandbox/calls.html", calls=self._log.newest(200))


def pieces(text: str) -> list[dict[str, Any]]:
    """A message's text cut into plain text and links, for a template to escape and to link."""
    cut, at = [], 0
    for match in LINK.finditer(text):
        cut.append({"text": text[at : match.start()], "link": False})
        cut.append({"text": match.group(), "link": True})
        at = match.end()
    return [*cut, {"text": text[at:], "link": False}]
