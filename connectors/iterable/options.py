"""Options of an Iterable connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import validate

from connectors.iterable.hosts import DATA_CENTERS
from connectors.options import (
    ApiOptions,
    catalog_fields_option,
    catalog_option,
    choice_option,
    flag_option,
    secret_option,
)


class IterableOptions(ApiOptions):
    """A project of Iterable."""

    data_center = choice_option(
        DATA_CENTERS, "Where the project lives: api.iterable.com or api.eu.iterable.com", "us"
    )
    api_key = secret_option("Server-side API key of the project")
    update_existing_only = flag_option(
        "Write to users that exist already; never create one. A project that identifies"
        " users by userId creates them all the same when attributes are written",
        default=True,
    )
    catalog = catalog_option(validate.Regexp(r"[A-Za-z0-9-]{1,255}\Z"))
    catalog_fields = catalog_fields_option()
    erase_profiles = flag_option(
        "Whether erasing a customer deletes the whole user in Iterable. Without"
        " it only our fields and memberships go",
        default=False,
    )
    webhook_token = secret_option(
        "Auth token of the system webhook, as entered in Iterable", required=False
    )
