"""Braze's campaigns started by API, its segments, and the export of who is in one."""

from __future__ import annotations

import io
import itertools
import threading
import zipfile
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Response, jsonify, request

from connectors.sandbox.braze_bodies import IDS, read_body, strings
from connectors.sandbox.campaigns import Campaigns, Recipient, UnknownCampaignError
from connectors.sandbox.dials import Dials
from connectors.sandbox.keys import refused
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.tools.base import Bench, Shelf

USERS_A_FILE = 5_000
ZIP = "application/zip"


@dataclass
class Exports:
    """Zips that wait to be fetched; each is there from the second time it is asked for."""

    _files: dict[str, bytes] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, lines: list[bytes]) -> str:
        """The name under which the file will be."""
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            for start in range(0, max(len(lines), 1), USERS_A_FILE):
                piece = b"\n".join(lines[start : start + USERS_A_FILE])
                archive.writestr(f"users-{start}.json", piece)
        with self._lock:
            name = f"export-{next(self._numbers)}"
            self._files[name] = zipped.getvalue()
        return name

    def take(self, name: str) -> bytes | None:
        with self._lock:
            ready = name in self._asked
            self._asked.add(name)
            return self._files.get(name) if ready else None


@dataclass(frozen=True)
class MessagingApi:
    """The views."""

    bench: Bench
    profiles: Profiles
    campaigns: Campaigns
    dials: Dials
    exports: Exports = field(default_factory=Exports)

    def segments(self) -> Response:
        """GET /segments/list: the cohorts, 100 a page."""
        page = request.args.get("page", 0, type=int)
        cohorts = self.profiles.cohorts()[100 * max(page, 0) :][:100]
        listed = [
            {"id": c["cohort_id"], "name": c["name"], "analytics_tracking_enabled": False,
             "tags": []}
            for c in cohorts
        ]  # fmt: skip
        return jsonify(message="success", segments=listed)

    def trigger(self) -> Response:
        """POST /campaigns/trigger/send: to recipients, or to the campaign's cohort."""
        body = read_body()
        if isinstance(body, Response):
            return body
        campaign_id, listed = str(body.get("campaign_id", "")), body.get("recipients")
        shared = body.get("trigger_properties")
        errors: list[dict[str, Any]] = []
        try:
            if listed is None and body.get("broadcast") is True:
                self.campaigns.start(campaign_id)
            else:
                recipients = _recipients(listed, shared if isinstance(shared, dict) else {})
                errors = self._refusals(recipients)
                able = [each for each in recipients if each.external_id not in self.dials.blocked]
                self.campaigns.send_to(campaign_id, able)
                self._note(campaign_id, able)
        except UnknownCampaignError:
            return refused(400, "Invalid Campaign ID")
        except ValueError as error:
            return refused(400, str(error))
        dispatch_id = f"{campaign_id}-{int(self.bench.now())}"
        answer = {"dispatch_id": dispatch_id, "message": "success"}
        response = jsonify({**answer, **({"errors": errors} if errors else {})})
        response.status_code = 201
        return response

    def _refusals(self, recipients: list[Recipient]) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = [
            {"type": "this recipient is blacklisted", "input_array": "recipients", "index": index}
            for index, each in enumerate(recipients)
            if each.external_id in self.dials.blocked
        ]
        return errors if self.dials.locate_errors else [{"type": e["type"]} for e in errors]

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        """Whom the campaign was started for, in order, as often as it was asked for."""
        return list(self._triggered(campaign_id).all().values())

    def _note(self, campaign_id: str, recipients: list[Recipient]) -> None:
        shelf = self._triggered(campaign_id)
        with self.bench.storage.transaction():
            newest = int(max(shelf.all(), default="-1"))  # an erasure leaves gaps
            for number, recipient in enumerate(recipients, start=newest + 1):
                entry = {"customer_id": recipient.external_id, "properties": recipient.properties}
                shelf.put(f"{number:09}", entry)

    def _triggered(self, campaign_id: str) -> Shelf:
        return Shelf(self.bench, f"braze:triggered:{campaign_id}")

    def export_segment(self) -> Response:
        """POST /users/export/segment, of a cohort: an address at which the file will be."""
        body = read_body()
        if isinstance(body, Response):
            return body
        wanted = strings(body.get("fields_to_export"))
        cohorts = {cohort["cohort_id"] for cohort in self.profiles.cohorts()}
        if not wanted:
            return refused(400, "'fields_to_export' is required")
        if body.get("segment_id") not in cohorts:
            return refused(400, "Invalid segment_id")
        people = map(self.profiles.get, self.profiles.members(body["segment_id"]))
        lines = [
            orjson.dumps({key: person[key] for key in wanted if key in person})
            for person in people
            if person is not None
        ]
        name = self.exports.add(lines)
        url = f"{request.host_url}exports/{name}.zip"
        return jsonify(message="success", object_prefix=name, url=url)

    def exported(self, name: str) -> Response:
        """The file, for whoever knows its address; 404 while it is being made."""
        content = self.exports.take(name)
        return refused(404, "no such file") if content is None else Response(content, mimetype=ZIP)


def _recipients(listed: Any, shared: dict[str, Any]) -> list[Recipient]:
    """Raises ValueError naming what is wrong."""
    if not isinstance(listed, list) or not 0 < len(listed) <= IDS:
        raise ValueError(f"'recipients' takes 1 to {IDS} objects, or set 'broadcast' to true")
    recipients = []
    for entry in listed:
        external_id = entry.get("external_user_id") if isinstance(entry, dict) else None
        if not isinstance(external_id, str) or not external_id:
            raise ValueError("each recipient needs an 'external_user_id'")
        own = entry.get("trigger_properties")
        recipients.append(
            Recipient(external_id, {**shared, **(own if isinstance(own, dict) else {})})
        )
    return recipients
