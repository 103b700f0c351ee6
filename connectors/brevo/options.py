"""Options of a Brevo connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import ApiOptions, secret_option


class BrevoOptions(ApiOptions):
    """An account of Brevo."""

    api_key = secret_option("API key (v3) of the account")
