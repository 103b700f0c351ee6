"""The OpenAPI document at /openapi.json, and a page to read and try it at /docs, without a CDN.

``python -m plugin.openapi > docs/openapi.json`` writes the document anew.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from flask import Blueprint, Flask, Response, current_app, request, send_from_directory
from markupsafe import escape
from swagger_ui_bundle import swagger_ui_path

from plugin.errors import fail
from plugin.guard import SCHEMES

VERSION = "1"
CONFIG = {
    "API_TITLE": "Rightsend",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.0.3",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": (
                "What to send to whom: content for one recipient at send time, segments for a "
                "campaign, and events as they happen.\n\n"
                "Every answer is a JSON object. Errors are "
                '`{"error": {"code", "message", "details"}}` with a stable code. A key names its '
                "workspace, has scopes (content, events, segments, admin), and is sent as basic "
                "auth, as bearer token or in `X-Api-Key`. `x-scope` says which scope a route needs."
            ),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "components": {"securitySchemes": SCHEMES},
    },
}
_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rightsend API</title>
<link rel="icon" href="{root}/docs/favicon-32x32.png">
<link rel="stylesheet" href="{root}/docs/swagger-ui.css">
</head>
<body>
<div id="api" data-url="{root}/openapi.json">
<noscript>Without JavaScript: <a href="{root}/openapi.json">openapi.json</a></noscript>
</div>
<script src="{root}/docs/swagger-ui-bundle.js"></script>
<script src="{root}/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: document.getElementById("api").dataset.url, dom_id: "#api", deepLinking: true,
  tryItOutEnabled: true, validatorUrl: null, defaultModelsExpandDepth: 0
});
"""

_RENDERED = "openapi.json"

pages = Blueprint("documentation", __name__)


@pages.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI document, made once: it needs no key, and slow clients share its bytes."""
    found = current_app.extensions.get(_RENDERED)
    if found is None:
        found = current_app.extensions[_RENDERED] = render(current_app)
    return Response(found, mimetype="application/json")


@pages.get("/docs")
def docs() -> Response:
    """The page around it."""
    response = Response(_PAGE.format(root=escape(request.script_root)), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@pages.get("/docs/<name>")
def asset(name: str) -> Response:
    """Swagger UI's own files, from its package."""
    if name == "start.js":
        return Response(_START, mimetype="text/javascript")
    if name not in _ASSETS:
        fail(404, "not_found", "There is no such file.")
    return send_from_directory(Path(swagger_ui_path), name, max_age=86_400)


def render(app: Flask) -> bytes:
    """The OpenAPI document of an app, indented, keys sorted, newline at the end."""
    spec = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    return orjson.dumps(spec, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
