"""Options of a Mailchimp connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import (
    ApiOptions,
    choice_option,
    flag_option,
    secret_option,
    text_option,
    timeout_option,
)

# https://mailchimp.com/developer/marketing/docs/fundamentals/
DATA_CENTERS = {f"us{n}": f"https://us{n}.api.mailchimp.com/3.0" for n in range(1, 23)}


class MailchimpOptions(ApiOptions):
    """An audience of a Mailchimp account."""

    data_center = choice_option(
        DATA_CENTERS, "What the API key ends with after its hyphen, such as us21"
    )
    api_key = secret_option("API key of the account")
    list_id = text_option(r"[A-Za-z0-9]{1,32}", "Audience ID, as its settings show it")
    update_existing_only = flag_option(
        "Write to contacts that exist already; else one that is missing is made,"
        " as transactional: never subscribed",
        default=True,
    )
    timeout_s = timeout_option(
        120.0, "Seconds to wait for an answer; Mailchimp itself gives up at 120"
    )
