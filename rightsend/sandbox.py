"""The sandbox messaging tool as a process of this installation."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.app import create_app
from connectors.sandbox.client import Sandbox
from rightsend.context import Context

RENDERED_AT_A_TIME = 4  # this machine renders, answers and scores: more would only wait


def application(context: Context) -> Any:
    """The sandbox's WSGI app; it knows this installation's key and where the plugin is."""
    return create_app(
        context.settings.state_dir / "sandbox",
        api_keys=[context.sandbox_key],
        plugin_url=context.settings.public_url,
        threads=RENDERED_AT_A_TIME,
    )


def client(context: Context) -> Sandbox:
    """Speaks to the running sandbox."""
    return Sandbox(context.settings.sandbox_url, context.sandbox_key)
