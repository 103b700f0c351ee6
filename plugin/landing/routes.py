"""The page behind a message's link, and the same as JSON for the app."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Response, render_template, request
from marshmallow import fields, validate

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import service
from plugin.content.answer import compose, shown
from plugin.content.answer_schema import ContentSchema
from plugin.content.call import Call
from plugin.content.kinds import KINDS
from plugin.content.schema import ForYouArgumentsSchema
from plugin.content.service import Chosen
from plugin.guard import scoped, workspace
from plugin.ids import require_short
from plugin.jsonio import answer
from plugin.landing import page
from plugin.landing.messages import LANGUAGES, choose
from plugin.landing.token import Landing, expired
from plugin.runtime import Workspace, runtime
from scoring.reasons.reason import decode

blueprint = RouteBlueprint(
    "landing", __name__, description="What a customer sees who taps the message."
)
_SECTIONS = 12  # categories and brands of the customer that order a page
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
        exclude = ("campaign",)

    lang = fields.String(validate=validate.OneOf(list(LANGUAGES)))


class LandingSchema(ContentSchema):
    """The landing page's content, for an app that draws it itself."""

    campaign = fields.String(required=True)
    lang = fields.String(required=True)
    title = fields.String(required=True)
    categories = fields.List(
        fields.String(), required=True, metadata={"description": "The customer's, best first"}
    )
    brands = fields.List(fields.String(), required=True)


@blueprint.route("/l/<anything:token>")
@blueprint.arguments(PageArgumentsSchema, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/html")
def landing_page(arguments: dict[str, Any], token: str) -> Response:
    """The personal landing page behind a signed link

    A forged, expired or foreign link shows the same page with best sellers.
    """
    here, landing = _of_token(token)
    call = _call(here, landing.campaign, here.settings.landing.limit)
    chosen = service.choose(here, call, landing.customer or None)
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    return _rendered(page.make(_content(chosen, language), here.settings, language))


@blueprint.route("/v1/landing/<campaign>")
@scoped(CONTENT)
@blueprint.arguments(LandingArgumentsSchema, location="query")
@blueprint.response(200, LandingSchema)
def landing_json(arguments: dict[str, Any], campaign: str) -> Response:
    """The landing page's content as JSON, for the app"""
    require_short("campaign", campaign)
    here = workspace()
    limit = min(
        arguments.get("limit", here.settings.landing.limit), here.settings.content.max_limit
    )
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    call = _call(here, campaign, limit, locale=language)
    customer = arguments["customer"]
    chosen = service.choose(here, call, here.reader.hash_of(customer) if customer else None)
    content = _content(chosen, language)
    if chosen.picked.reason:
        runtime().metrics.fallbacks.labels("landing", chosen.picked.reason).inc()
    document = orjson.loads(compose(runtime(), here, call, chosen)) | {
        "campaign": campaign,
        "lang": language,
        "title": page.make(content, here.settings, language).title,
        "categories": list(content.categories),
        "brands": list(content.brands),
    }
    return answer(document)


def _of_token(token: str) -> tuple[Workspace, Landing]:
    """The workspace and what the link says; for a link that is not ours (or no longer good) nobody
    in the first workspace."""
    found = runtime()
    landing = found.links.read(token)
    if landing is not None and landing.workspace in found.workspaces:
        here = found.workspaces[landing.workspace]
        if not (landing.customer and expired(landing, here.now())):
            return here, landing
        return here, Landing(landing.workspace, landing.campaign, b"", 0)
    name, here = next(iter(found.workspaces.items()))
    return here, Landing(name, "", b"", 0)


def _call(here: Workspace, campaign: str, limit: int, **more: str) -> Call:
    kind = KINDS["for-you"]
    call = Call.of(kind, {"campaign": campaign, "limit": limit, **more}, here.settings.content)
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
    response = Response(render_template("landing.html", page=shown), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY.format(style=shown.style_hash)
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Content-Language"] = shown.language
    response.headers["Vary"] = "Accept-Language"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
