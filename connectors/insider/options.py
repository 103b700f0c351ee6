"""Options of an Insider connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import ApiOptions, secret_option, text_option


class InsiderOptions(ApiOptions):
    """An account of Insider."""

    partner_name = text_option(r"[a-z0-9_-]{1,64}", "Partner name of the account, in lower case")
    request_token = secret_option("API key of the account for the Upsert User Data API")
