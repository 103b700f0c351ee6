"""What an app does by OneSignal's SDK: a device subscribes."""

from __future__ import annotations

import requests

from connectors.onesignal.hosts import HOSTS
from tests.connectors.doubles import KEY, Double


def subscribe(crm: Double, customer_id: str, subscription_id: str) -> None:
    app_id = crm.connection.options["app_id"]
    answer = requests.patch(
        f"{HOSTS['api']}/apps/{app_id}/subscriptions/{subscription_id}/owner",
        json={"identity": {"external_id": customer_id}},
        headers={"Authorization": f"Key {KEY}"},
        timeout=5,
    )
    assert answer.status_code == 200


def subscriptions(crm: Double, customer_id: str) -> list[str]:
    app_id = crm.connection.options["app_id"]
    answer = requests.get(
        f"{HOSTS['api']}/apps/{app_id}/users/by/external_id/{customer_id}",
        headers={"Authorization": f"Key {KEY}"},
        timeout=5,
    )
    return [each["id"] for each in answer.json()["subscriptions"]]
