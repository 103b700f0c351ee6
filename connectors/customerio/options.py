"""Options of a Customer.io connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.customerio.hosts import TRACK
from connectors.options import ApiOptions, choice_option, flag_option, secret_option, text_option


class CustomerioOptions(ApiOptions):
    """A workspace of Customer.io."""

    region = choice_option(TRACK, "Region of the Customer.io account")
    site_id = text_option(
        r"[A-Za-z0-9]{1,64}",
        "Site id of the workspace, beside its Track API key",
        error="must be letters and digits",
    )
    api_key = secret_option("Track API key: people and members")
    app_api_key = secret_option(
        "App API key: needed to push segments, to read them and to trigger", required=False
    )
    update_existing_only = flag_option(
        "Write to people who exist already; never create one", default=True
    )
    webhook_signing_key = secret_option("Signing key of the reporting webhook", required=False)
