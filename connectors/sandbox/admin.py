"""The sandbox's own API: campaigns, outbox, credentials, dials. JSON, or NDJSON for lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response, jsonify, request

from connectors.sandbox.campaigns import Campaigns, Definition, UnknownCampaignError
from connectors.sandbox.dials import Dials, read_faults
from connectors.sandbox.feeds import Feed
from connectors.sandbox.keys import Keys, refused
from connectors.sandbox.language import TemplateError
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.rendering import DEFAULT_DIALECT
from connectors.sandbox.requests_log import RequestLog
from connectors.sandbox.storage import ITEMS, Storage

ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
PAGE = 500
BRAZE = "braze"  # the double at the root, and the one that is meant when none is named


class Watched(Protocol):
    """A double, as the admin API sees it; see connectors.sandbox.tools.base.ToolDouble."""

    @property
    def dials(self) -> Dials: ...

    def held(self) -> dict[str, dict[str, Any]]: ...

    def members(self, segment_id: str) -> list[str]: ...

    def catalog(self, name: str) -> dict[str, dict[str, Any]]: ...

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]: ...


class AdminApi:
    """Views under /sandbox; all need a key. ``?tool=`` says which double is meant."""

    def __init__(
        self,
        storage: Storage,
        profiles: Profiles,
        campaigns: Campaigns,
        tools: Mapping[str, Watched],
        log: RequestLog,
    ) -> None:
        self._storage = storage
        self._profiles = profiles
        self._campaigns = campaigns
        self._tools = tools
        self._log = log

    def blueprint(self, keys: Keys) -> Blueprint:
        admin = Blueprint("admin", __name__, url_prefix="/sandbox")
        campaign = "/campaigns/<campaign_id>"
        for method, path, view in (
            ("GET", "/campaigns", self.campaigns),
            ("PUT", campaign, self.define),
            ("GET", campaign, self.campaign),
            ("DELETE", campaign, self.delete),
            ("POST", f"{campaign}/send", self.send),
            ("GET", f"{campaign}/messages", self.messages),
            ("PUT", "/credentials/<name>", self.credential),
            ("PUT", "/items", self.items),
            ("GET", "/profiles", self.profiles),
            ("GET", "/profile", self.profile),
            ("GET", "/cohorts/<cohort_id>", self.members),
            ("GET", "/held", self.held),
            ("GET", "/members/<segment_id>", self.segment),
            ("GET", "/catalog/<name>", self.catalog),
            ("GET", "/triggered/<campaign_id>", self.triggered),
            ("GET", "/requests", self.requests),
            ("GET", "/counts", self.counts),
            ("POST", "/faults", self.add_faults),
            ("DELETE", "/faults", self.clear_faults),
            ("PATCH", "/dials", self.turn),
        ):
            guarded = keys.needed(_told(view))
            admin.add_url_rule(path, view.__name__, guarded, methods=[method])
        return admin

    def campaigns(self) -> Response:
        return jsonify(campaigns=self._campaigns.all())

    def define(self, campaign_id: str) -> Response:
        """``{"template", "name"?, "cohort_id"?, "dialect"?, "feed"?}``; 400 says what is wrong with
        the template. ``feed`` has the fields of ``feeds.Feed``."""
        body = _object()
        if not ID.fullmatch(campaign_id):
            return refused(400, "a campaign id has 1 to 100 of A-Z a-z 0-9 _ . : -")
        template = _text(body, "template")
        if not template.strip():
            return refused(400, "'template' must be a text")
        definition = Definition(
            name=str(body.get("name") or campaign_id),
            template=template,
            cohort_id=_text(body, "cohort_id") or None,
            dialect=_text(body, "dialect") or DEFAULT_DIALECT,
            feed=_feed(body.get("feed")),
        )
        try:
            self._campaigns.define(campaign_id, definition)
        except TemplateError as error:
            return refused(400, f"template: {error}")
        return self.campaign(campaign_id)

    def campaign(self, campaign_id: str) -> Response:
        found = self._campaigns.get(campaign_id)
        return refused(404, "no such campaign") if found is None else jsonify(found)

    def delete(self, campaign_id: str) -> Response:
        deleted = self._campaigns.delete(campaign_id)
        return jsonify(message="success") if deleted else refused(404, "no such campaign")

    def send(self, campaign_id: str) -> Response:
        """Starts sending, or goes on with it; GET the campaign to see how far it is."""
        try:
            self._campaigns.start(campaign_id)
        except UnknownCampaignError as error:
            return refused(404, str(error))
        response = self.campaign(campaign_id)
        response.status_code = 202
        return response

    def messages(self, campaign_id: str) -> Response:
        """The outbox as NDJSON, by external id; ``?state=`` sent, aborted or failed."""
        state = request.args.get("state")

        def page(after: str) -> list[dict[str, Any]]:
            return self._campaigns.messages(campaign_id, after=after, count=PAGE, state=state)

        return _ndjson(page)

    def credential(self, name: str) -> Response:
        """``{"username", "password"}``: what ``:basic_auth NAME`` sends; for
        ``:auth_credentials NAME`` the header's name and value."""
        body = _object()
        values = [body.get("username"), body.get("password")]
        if not all(isinstance(value, str) and value for value in values):
            return refused(400, "'username' and 'password' must be texts")
        statement = "INSERT OR REPLACE INTO credential VALUES (?, ?, ?)"
        self._storage.write(statement, [name, *values])
        return jsonify(message="success")

    def items(self) -> Response:
        """``{item id: {"title", "url", …}}`` for ``{% catalog id %}``; adds and replaces."""
        rows = [(ITEMS, key, orjson.dumps(item).decode()) for key, item in _object().items()]
        self._storage.write_many("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?)", rows)
        return jsonify(message="success")

    def profiles(self) -> Response:
        """All profiles as NDJSON, by external id."""
        return _ndjson(lambda after: self._profiles.page(after, PAGE))

    def profile(self) -> Response:
        found = self._profiles.get(request.args.get("external_id", ""))
        return refused(404, "no such profile") if found is None else jsonify(found)

    def members(self, cohort_id: str) -> Response:
        known = {cohort["cohort_id"]: cohort for cohort in self._profiles.cohorts()}
        if cohort_id not in known:
            return refused(404, "no such cohort")
        return jsonify(**known[cohort_id], external_ids=self._profiles.members(cohort_id))

    def held(self) -> Response:
        """Customer → attributes that the double holds."""
        return jsonify(self._tool().held())

    def segment(self, segment_id: str) -> Response:
        return jsonify(members=sorted(self._tool().members(segment_id)))

    def catalog(self, name: str) -> Response:
        return jsonify(self._tool().catalog(name))

    def triggered(self, campaign_id: str) -> Response:
        return jsonify(messages=self._tool().triggered(campaign_id))

    def requests(self) -> Response:
        return jsonify(requests=self._log.newest(request.args.get("count", 200, type=int)))

    def counts(self) -> Response:
        return jsonify(
            profiles=self._storage.number("SELECT count(*) FROM profile"),
            messages=self._storage.number("SELECT count(*) FROM message"),
            faults_left=self._tool().dials.left(),
            **self._log.counts(),
        )

    def add_faults(self) -> Response:
        """``[{"kind", "times"?, "path"?, "headers"?, "items"?, "hang_s"?}, …]``"""
        for fault, times in read_faults(_json()):
            self._tool().dials.add(fault, times)
        return jsonify(message="success")

    def clear_faults(self) -> Response:
        self._tool().dials.clear()
        return jsonify(message="success")

    def turn(self) -> Response:
        self._tool().dials.turn(_object())
        return jsonify(message="success")

    def _tool(self) -> Watched:
        name = request.args.get("tool", BRAZE)
        if name not in self._tools:
            raise ValueError(f"there is no double {name}; there are {', '.join(self._tools)}")
        return self._tools[name]


def _told(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view whose ValueError is a 400 with its text."""

    @wraps(view)
    def told(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except ValueError as error:
            return refused(400, str(error))

    return told


def _json() -> Any:
    try:
        return orjson.loads(request.get_data(cache=False))
    except ValueError:
        raise ValueError("the body is not valid JSON") from None


def _object() -> dict[str, Any]:
    body = _json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"'{name}' must be a text")
    return value or ""


def _feed(value: Any) -> Feed | None:
    if value is None:
        return None
    parameters = value.get("parameters") or {} if isinstance(value, dict) else None
    if not isinstance(parameters, dict) or not all(
        isinstance(text, str)
        for text in (value.get("name"), value.get("url"), *parameters.values())
    ):
        raise ValueError("'feed' must have the texts name and url, and texts as parameters")
    return Feed(value["name"], value["url"], parameters, _text(value, "credential") or None)


def _ndjson(page_after: Callable[[str], list[dict[str, Any]]]) -> Response:
    def lines() -> Iterator[bytes]:
        after = ""
        while page := page_after(after):
            yield b"".join(orjson.dumps(row) + b"\n" for row in page)
            after = page[-1]["external_id"]

    return Response(lines(), mimetype="application/x-ndjson")
