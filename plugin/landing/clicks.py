"""A link of a landing page was followed: on to the item's own address, which the catalogue knows.

Nothing of the request says where to, so that no link of ours can be made to lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields
from werkzeug.urls import iri_to_uri

from plugin.body import RouteBlueprint
from plugin.landing import visit
from plugin.landing.cards import web_address
from plugin.landing.tracking import Shown
from plugin.runtime import Workspace
from scoring.store.errors import StoreUnavailable

blueprint = RouteBlueprint("clicks", __name__, description="A tap on a product of a landing page.")


class ClickArgumentsSchema(ma.Schema):
    item = fields.String(
        load_default="",
        metadata={"description": "The item's id", "example": "1082185"},
    )
    page = fields.String(
        load_default="",
        metadata={
            "description": "Id of the decision that the page showed",
            "example": "5f1d7c6a0f3e4b0f9a4be0b7c4d0a6e2",
        },
    )
    position = fields.String(
        load_default="", metadata={"description": "Its place on the page, from 1", "example": "3"}
    )


@blueprint.route("/c/<anything:token>")
@blueprint.arguments(ClickArgumentsSchema, location="query")
@blueprint.doc(
    responses={"302": {"description": "To the item's page, or back to the landing page"}}
)
def follow(arguments: dict[str, Any], token: str) -> Response:
    """On to an item of a landing page

    The address is the item's own from the catalogue; without one, back to the landing page. The
    click is told as an event, a person's apart from a program's.
    """
    here, landing = visit.of_token(token)
    item = arguments["item"]
    address = item_address(here, item)
    if address is None:
        return _to(visit.page_address(token))
    visit.told(here, landing, _shown(arguments), item)
    return _to(address)


def item_address(here: Workspace, item_id: str) -> str | None:
    """Where the item is sold; None if it is unknown or has no address of the web."""
    item = here.reader.fallback().catalogue.get(item_id)
    if item is None:  # not the snapshot that this process knows, or none yet
        try:
            item = here.reader.published().catalogue.get(item_id)
        except StoreUnavailable:
            return None
    return web_address(item.url) if item else None


def _shown(arguments: Mapping[str, str]) -> Shown:
    """What is no decision and no place on a page is left out: a customer is never told of it."""
    page, position = arguments["page"], arguments["position"]
    decision = page if re.fullmatch(r"[0-9a-f]{32}", page) else ""
    place = int(position) if re.fullmatch(r"[1-9][0-9]{0,2}", position) else None
    return Shown(decision, place)


def _to(address: str) -> Response:
    response = Response(status=302)
    response.headers["Location"] = iri_to_uri(address)
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.autocorrect_location_header = False
    return response
