"""Options of a Blueshift connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import ApiOptions, choice_option, secret_option

# https://developer.blueshift.com/reference/authorization-1
HOSTS = {
    "us": "https://api.getblueshift.com",
    "eu": "https://api.eu.getblueshift.com",
}


class BlueshiftOptions(ApiOptions):
    """An account of Blueshift."""

    region = choice_option(HOSTS, "Region of the account")
    user_api_key = secret_option("User API key of the account; its event API key will not do")
