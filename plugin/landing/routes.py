"""The page behind a message's link, and the same as JSON for the app."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response, g, render_template, request
from marshmallow import fields, validate

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import service
from plugin.content.answer import decision_id, shown
from plugin.content.call import Call, unknown_names
from plugin.content.kinds import KINDS
from plugin.content.money import require_currency
from plugin.content.schema import ForYouArgumentsSchema
from plugin.content.service import Chosen
from plugin.guard import scoped, workspace
from plugin.ids import require_short
from plugin.jsonio import answer
from plugin.landing import for_apps, page, visit
from plugin.landing.for_apps import LandingSchema
from plugin.landing.messages import LANGUAGES, choose
from plugin.landing.tracking import Shown
from plugin.runtime import Workspace, runtime
from scoring.reasons.reason import decode

blueprint = RouteBlueprint(
    "landing", __name__, description="What a customer sees who taps the message."
)
HTML, JSON = "text/html", "application/json"
LANDING = KINDS["for-you"]._replace(name="landing")
_SECTIONS = 12  # categories and brands of the customer that order a page
_GZIP_LEVEL = 5
_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src {style}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class PageArgumentsSchema(ma.Schema):
    lang = fields.String(
        metadata={
            "description": "Language of the page: "
            f"{', '.join(LANGUAGES)}; default: as the browser prefers, else the workspace's",
            "example": "ko",
        }
    )


class LandingArgumentsSchema(ForYouArgumentsSchema):
    class Meta:
        exclude = ("campaign", "locale")  # in the path; `lang` says it for the page and its items

    lang = fields.String(validate=validate.OneOf(list(LANGUAGES)))


@blueprint.route("/l/<anything:token>")
@blueprint.arguments(PageArgumentsSchema, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/html")
@blueprint.doc(
    responses={
        "200": {"content": {HTML: {"schema": {"type": "string"}}, JSON: {"schema": LandingSchema}}}
    }
)
def landing_page(arguments: dict[str, Any], token: str) -> Response:
    """The personal landing page behind a signed link

    A forged, expired or foreign link shows the same page with best sellers. An app that asks for
    application/json gets what GET /v1/landing/{campaign} answers, without a key.
    """
    here, landing = visit.of_token(token)
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    limit = here.settings.landing.limit
    call = _call(here, landing.campaign, limit, {"locale": language})
    chosen = service.choose(here, call, landing.customer or None)
    decision = decision_id(runtime(), here, call, chosen)
    if landing.customer:  # not of a link that anybody could have made up
        service.note(here, call, chosen, decision)
    if request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON:
        return _as_json(here, call, chosen, language)
    visit.told(here, landing, Shown(decision.hex()))
    followed = f"../c/{token}?page={decision.hex()}" if landing.customer else None
    content = replace(_content(chosen, language), followed=followed)
    return _rendered(page.make(content, here.settings, language))


@blueprint.route("/v1/landing/<campaign>")
@scoped(CONTENT)
@blueprint.arguments(LandingArgumentsSchema, location="query")
@blueprint.response(200, LandingSchema)
def landing_json(arguments: dict[str, Any], campaign: str) -> Response:
    """The landing page's content as JSON, for the app

    With addresses that lead into the app, as the workspace's `landing.deep_links` and
    `landing.universal_links` have them.
    """
    require_short("campaign", campaign)
    here = workspace()
    require_currency(arguments, here.settings.currencies)
    limit = min(
        arguments.get("limit", here.settings.landing.limit), here.settings.content.max_limit
    )
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    unknown = unknown_names(LandingArgumentsSchema(), request.args)
    call = _call(here, campaign, limit, {**arguments, "locale": language})
    chosen = _admitted(here, call._replace(unknown=unknown), arguments["customer"])
    service.note(here, call, chosen, decision_id(runtime(), here, call, chosen))
    response = _as_json(here, call, chosen, language)
    runtime().metrics.content("landing", time.perf_counter() - g.started, chosen.picked.reason)
    return response


def _admitted(here: Workspace, call: Call, customer: str) -> Chosen:
    """As service.answered() does, before it becomes a page."""
    if call.unknown:
        service.tell_unknown(runtime(), here, call)
    refused = service.turned_away(runtime(), g.key_id)
    if refused is not None:
        return service.choose_without_store(here, call, customer, refused)
    return service.choose(here, call, here.reader.hash_of(customer) if customer else None)


def _as_json(here: Workspace, call: Call, chosen: Chosen, language: str) -> Response:
    content = _content(chosen, language)
    shown = content, page.make(content, here.settings, language)
    response = answer(for_apps.document(runtime(), here, call, chosen, shown))
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Vary"] = "Accept, Accept-Language"
    return response


def _call(here: Workspace, campaign: str, limit: int, asked: Mapping[str, Any]) -> Call:
    call = Call.of(LANDING, {**asked, "campaign": campaign}, here.settings.content)
    return call._replace(limit=limit)


def _content(chosen: Chosen, language: str) -> page.Content:
    picked, reading = chosen.picked, chosen.reading
    return page.Content(
        items=[shown(reading.published, entry, language) for entry in picked.entries],
        categories=[name for name, _ in reading.categories(_SECTIONS)],
        brands=[name for name, _ in reading.brands(_SECTIONS)],
        personal=reading.customer_known and not picked.fallback,
        reasons=[
            [each.code for each in decode(reading.published.reason_numbers(entry.reasons))]
            for entry in picked.entries
        ],
        updated_at=chosen.created_at,
    )


def _rendered(shown: page.Page) -> Response:
    html = render_template("landing.html", page=shown)
    response = Response(html, mimetype=HTML)
    if request.accept_encodings.quality("gzip"):  # four fifths less to wait for on a slow line
        response.set_data(gzip.compress(html.encode(), _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Security-Policy"] = _POLICY.format(style=shown.theme.style_hash)
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Content-Language"] = shown.language
    response.headers["Vary"] = "Accept, Accept-Encoding, Accept-Language"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
