"""CleverTap, as far as a connection of type ``http`` uses it: profiles, events, deletion.

https://developer.clevertap.com/docs/upload-user-profiles-api
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble

RECORDS = 1_000
DELETED_IDS = 100
KEY_BYTES = 120
VALUE_BYTES = 512
PROPERTIES = 256
BODY_BYTES = 4_000_000
SEGMENTS = "rightsend_segments"  # the multi-value property that config/connections keeps them in
NO_IDENTITY, BAD_DATA = 509, 525  # codes of refused records


class CleverTap(ToolDouble):
    """A refused record is told in ``unprocessed``, with the record and without its index; the call
    is a 200 even when all of them are refused."""

    name = "clevertap"
    rate_headers = NO_RATE_HEADERS
    other_message: ClassVar[Any] = {
        "status": "fail",
        "error": "Internal processing problem",
        "code": -1,
    }

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", "/1/upload", self.upload),
            ("POST", "/1/delete/profiles.json", self.delete),
        ]

    def authorised(self) -> bool:
        account = request.headers.get("X-CleverTap-Account-Id")
        return bool(account) and self.keys.accept(request.headers.get("X-CleverTap-Passcode"))

    def refused(self, status: int, text: str) -> Response:
        return make_response(jsonify(status="fail", error=text, code=status), status)

    def held(self) -> dict[str, dict[str, Any]]:
        profiles = {
            identity: {name: value for name, value in profile.items() if name != SEGMENTS}
            for identity, profile in self.shelf("profiles").all().items()
        }
        return {identity: profile for identity, profile in profiles.items() if profile}

    def members(self, segment_id: str) -> list[str]:
        profiles = self.shelf("profiles").all()
        return [i for i, profile in profiles.items() if segment_id in profile.get(SEGMENTS, ())]

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        events = self.shelf("events").all().values()
        return [
            {"customer_id": event["identity"], "properties": event["evtData"]}
            for event in events
            if event["evtName"] == campaign_id
        ]

    def upload(self) -> Response:
        """POST /1/upload: profiles and events; with ``dryRun=1`` they are only judged."""
        records = self.json_body(BODY_BYTES).get("d")
        if not isinstance(records, list) or not 0 < len(records) <= RECORDS:
            raise RefusedCallError(400, f"d takes 1 to {RECORDS} records")
        unprocessed: list[dict[str, Any]] = []
        for index, record in enumerate(records):
            reason = self._unfit(index, record)
            if reason is None:
                self._apply(record, pretend=request.args.get("dryRun") == "1")
            else:
                entry = {"status": "fail", "code": reason[0], "error": reason[1]}
                unprocessed.append({**entry, "record": record} if self.tells_index else entry)
        processed = len(records) - len(unprocessed)
        status = "success" if not unprocessed else "partial" if processed else "fail"
        return jsonify(status=status, processed=processed, unprocessed=unprocessed)

    def delete(self) -> Response:
        """POST /1/delete/profiles.json, by identity."""
        body = self.json_body(BODY_BYTES)
        identities = body.get("identity")
        listed = [identities] if isinstance(identities, str) else identities
        if not isinstance(listed, list) or not 0 < len(listed) <= DELETED_IDS or "guid" in body:
            raise RefusedCallError(400, f"identity takes 1 to {DELETED_IDS} ids, without guid")
        for identity in listed:
            self.shelf("profiles").remove(identity)
        return jsonify(status="success")

    def _unfit(self, index: int, record: Any) -> tuple[int, str] | None:
        """Why a record is refused: code and text."""
        identity = record.get("identity") if isinstance(record, dict) else None
        if not isinstance(identity, str) or not identity:
            return NO_IDENTITY, "Profile identity is missing"
        problem = self.problem(index, identity) or _bad_data(record)
        return None if problem is None else (BAD_DATA, f"{problem}.Skipped record number : {index}")

    def _apply(self, record: dict[str, Any], *, pretend: bool) -> None:
        if pretend:
            return
        if record["type"] == "event":
            events = self.shelf("events")
            events.put(f"{len(events.all()):09}", record)
            return
        profiles = self.shelf("profiles")
        profile = profiles.get(record["identity"]) or {}
        for name, value in record["profileData"].items():
            _change(profile, name, value)
        profiles.put(record["identity"], profile)


def _change(profile: dict[str, Any], name: str, value: Any) -> None:
    """Set a property, or do what its operator says."""
    operator, operand = next(iter(value.items())) if isinstance(value, dict) else ("", ())
    listed = profile.get(name, [])
    if operator == "$delete":
        profile.pop(name, None)
    elif operator == "$add":
        profile[name] = [*listed, *(each for each in operand if each not in listed)]
    elif operator == "$remove":
        profile[name] = [each for each in listed if each not in operand]
    else:
        profile[name] = value


def _bad_data(record: dict[str, Any]) -> str | None:
    kind = record.get("type")
    data = record.get({"profile": "profileData", "event": "evtData"}.get(str(kind), ""))
    if not isinstance(data, dict) or (kind == "event" and not record.get("evtName")):
        return "Record is not a profile with profileData, nor an event with evtName and evtData"
    if len(data) > PROPERTIES:
        return "Profile has too many properties"
    for name, value in data.items():
        if value is None:
            return "Profile data is incorrect. Value is null"
        operators = set(value) if isinstance(value, dict) else set()
        if isinstance(value, dict) and not operators <= {"$delete", "$add", "$remove"}:
            return "Profile data is incorrect. Value is an object"
        texts = value if isinstance(value, list) else [value]
        if len(name.encode()) > KEY_BYTES or any(_long(text) for text in texts):
            return "Profile data is incorrect. Key or value is too long"
    return None


def _long(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > VALUE_BYTES
