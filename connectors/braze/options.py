"""Options of a Braze connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import marshmallow
from marshmallow import fields, validate

from connectors.braze.currents import CurrentsOptions
from connectors.braze.hosts import INSTANCES
from connectors.options import (
    ApiOptions,
    catalog_fields_option,
    catalog_option,
    choice_option,
    flag_option,
    secret_option,
)
from scoring.columns import EXTERNAL_ID, IDENTIFIER_KINDS

COHORT, ATTRIBUTE = "cohort", "attribute"  # segments_as
API, CDI = "api", "cdi"  # attributes_as
# Where Braze puts an export when the client has linked no storage of its own: Amazon S3.
EXPORT_HOSTS = (
    "*.s3.amazonaws.com",
    "*.s3.*.amazonaws.com",
    "s3.amazonaws.com",
    "s3.*.amazonaws.com",
)

PARTNER_FIELDS = ("partner_name", "partner_api_key", "partner_client_secret")


def _absolute(path: str) -> None:
    if not Path(path).is_absolute():
        raise marshmallow.ValidationError("must be an absolute path")


class SharedOptions(ApiOptions):
    """What every connection that speaks Braze's protocol can be asked to do."""

    attributes_as = choice_option(
        (API, CDI),
        "How user attributes go: by API calls, or as files for Cloud Data Ingestion in cdi_folder",
        default=API,
    )
    cdi_folder = fields.String(
        load_default=None,
        allow_none=True,
        validate=_absolute,
        metadata={
            "description": "Folder, as an absolute path, from which a job of yours moves the files"
            " to the storage that Braze reads"
        },
    )
    segments_as = choice_option(
        (COHORT, ATTRIBUTE),
        "How a pushed segment is kept: as a partner's cohort, or as an element"
        " of an array attribute (needs no partner; each change is a data point)",
        default=COHORT,
    )
    segments_attribute = fields.String(
        load_default="rightsend_segments",
        validate=validate.Length(min=1, max=250),
        metadata={"description": "The array attribute of segments_as: attribute"},
    )
    catalog = catalog_option(validate.Regexp(r"[A-Za-z0-9_-]{1,250}\Z"))
    catalog_fields = catalog_fields_option()
    identify_aliases = fields.Dict(
        keys=fields.String(
            validate=validate.OneOf([kind for kind in IDENTIFIER_KINDS if kind != EXTERNAL_ID])
        ),
        values=fields.String(validate=validate.Length(min=1, max=250)),
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Kinds of identifiers that Braze knows as user aliases, with the"
            " alias's label: when one turns out to be a known customer's, Braze is told"
        },
    )
    erase_profiles = flag_option(
        "Whether erasing a customer deletes the whole profile in Braze. Without"
        " it only our attributes and memberships go: the profile holds data of others, and"
        " deleting it for good is the client's decision",
        default=False,
    )
    export_hosts = fields.List(
        fields.String(validate=validate.Regexp(r"[a-z0-9*.-]+\Z")),
        load_default=list(EXPORT_HOSTS),
        metadata={
            "description": "Hosts from which the export of a segment may be fetched, as its address"
            " comes with an answer; * stands for one label"
        },
    )

    @marshmallow.validates_schema
    def _cdi_has_a_folder(self, data: dict[str, Any], **_: object) -> None:
        if data.get("attributes_as") == CDI and not data.get("cdi_folder"):
            raise marshmallow.ValidationError("is needed for attributes_as: cdi", "cdi_folder")


class BrazeOptions(SharedOptions, CurrentsOptions):
    """A workspace of Braze."""

    instance = choice_option(
        INSTANCES, "Braze instance, as in its REST address: rest.INSTANCE.braze.com"
    )
    api_key = secret_option(
        "REST API key with users.track and segments.list; for what is used of it"
        " also catalogs.*, users.identify, users.delete, campaigns.trigger.send and"
        " users.export.segment"
    )
    update_existing_only = flag_option(
        "Write to profiles that exist already; never create one", default=True
    )
    partner_name = fields.String(
        validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,64}$"),
        metadata={"description": "Partner under which segments are pushed as cohorts"},
    )
    partner_api_key = secret_option("The partner's key to cohort import", required=False)
    partner_client_secret = secret_option(
        "The workspace's data import key for the partner", required=False
    )
    currents_token = secret_option(
        "Token of a Custom HTTP Currents, when it is no key of Rightsend's own", required=False
    )

    @marshmallow.validates_schema
    def _partner_is_whole(self, data: dict[str, Any], **_: object) -> None:
        missing = [name for name in PARTNER_FIELDS if not data.get(name)]
        if 0 < len(missing) < len(PARTNER_FIELDS):
            raise marshmallow.ValidationError(
                "is needed to push segments, as the other partner options are given", missing[0]
            )
