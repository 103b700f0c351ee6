"""The page behind a message's link, and the same as JSON for the app."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, render_template, request
from marshmallow import fields, validate

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import choice as chooser
from plugin.content.answer import compose
from plugin.content.answer import shown as in_words
from plugin.content.choice import Choice
from plugin.content.schema import ContentSchema, ForYouArgumentsSchema
from plugin.guard import scoped, workspace
from plugin.ids import require_short
from plugin.jsonio import answer
from plugin.landing import page
from plugin.landing.messages import LANGUAGES, choose
from plugin.landing.token import Landing, expired
from plugin.runtime import Workspace, runtime
from scoring.reasons.reason import decode
from scoring.store.reading import Reading

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
    limit = here.settings.landing.limit
    customer = landing.customer or None
    choice = chooser.choose(
        here,
        lambda: here.reader.customer_by_hash(customer),
        lambda reading: _pick(here, reading, limit),
        limit,
    )
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    return _rendered(page.make(_content(choice), here.settings, language))


@blueprint.route("/v1/landing/<campaign>")
@scoped(CONTENT)
@blueprint.arguments(LandingArgumentsSchema, location="query")
@blueprint.response(200, LandingSchema)
def landing_json(arguments: dict[str, Any], campaign: str) -> Response:
    """The landing page's content as JSON, for the app"""
    require_short("campaign", campaign)
    here = workspace()
    most = here.settings.content.max_limit
    limit = min(arguments.get("limit", here.settings.landing.limit), most)
    customer = arguments["customer"] or None
    choice = chooser.choose(
        here,
        lambda: here.reader.read(customer),
        lambda reading: _pick(here, reading, limit),
        limit,
    )
    language = choose(arguments.get("lang"), request.accept_languages, here.settings.locale)
    asked = {"customer": arguments["customer"], "campaign": campaign, "limit": limit}
    shown = page.make(_content(choice), here.settings, language)
    if choice.reason:
        runtime().metrics.fallbacks.labels("landing", choice.reason).inc()
    document = compose(runtime(), here, choice, "landing", asked) | {
        "campaign": campaign,
        "lang": language,
        "title": shown.title,
        "items": [in_words(scored, language) for scored in choice.items],
        "categories": list(choice.categories),
        "brands": list(choice.brands),
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


def _pick(here: Workspace, reading: Reading, limit: int) -> Choice:
    choice = chooser.for_you(here, reading, limit)
    return chooser.with_tastes(choice, reading, _SECTIONS)


def _content(choice: Choice) -> page.Content:
    return page.Content(
        items=[scored.item.to_json() for scored in choice.items],
        categories=choice.categories,
        brands=choice.brands,
        personal=choice.customer_known and not choice.fallback,
        reasons=[[reason.code for reason in decode(scored.reasons)] for scored in choice.items],
        updated_at=choice.created_at,
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
