"""Options of a Bloomreach Engagement connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import ApiOptions, choice_option, secret_option, text_option

# https://documentation.bloomreach.com/engagement/reference/authentication
HOSTS = {
    "exponea": "https://api.exponea.com",
    "eu1": "https://api.eu1.exponea.com",
    "us1": "https://api.us1.exponea.com",
    "cis": "https://api-cis.exponea.com",
    "bloomreach": "https://api-engagement.bloomreach.com",
}


class BloomreachOptions(ApiOptions):
    """A project of Bloomreach Engagement."""

    instance = choice_option(HOSTS, "Whose API base URL is the project's, as its settings show it")
    project_token = text_option(r"[A-Za-z0-9-]{1,64}", "Project token")
    api_key_id = text_option(r"[A-Za-z0-9]+", "ID of a key of an API group with private access")
    api_secret = secret_option("Secret of that key; the group may set properties")
