"""Braze's endpoints, as far as Rightsend uses them, with their limits, headers and error shapes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint

from connectors.sandbox.braze_bodies import LARGEST_CALL  # noqa: F401 - of the whole double
from connectors.sandbox.braze_catalogs import CatalogsApi
from connectors.sandbox.braze_cohorts import CohortsApi
from connectors.sandbox.braze_messaging import MessagingApi
from connectors.sandbox.braze_users import TRACK, UsersApi
from connectors.sandbox.dials import Dials
from connectors.sandbox.gate import Gate
from connectors.sandbox.keys import refused
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.tools.base import Bench, View
from connectors.tool import Window

WINDOWS = (Window(3_000, 3.0),)
OTHER_MESSAGE = b'{"message":"Internal processing problem"}'


@dataclass(frozen=True)
class BrazeApi:
    """All views behind one gate."""

    bench: Bench
    profiles: Profiles
    dials: Dials
    catalogs: CatalogsApi
    messaging: MessagingApi

    def blueprint(self) -> Blueprint:
        keys, api = self.bench.keys, Blueprint("braze", __name__)
        catalogs, messaging = self.catalogs, self.messaging
        users = UsersApi(self.profiles, self.dials, self.bench.log)
        cohorts = CohortsApi(self.profiles, self.dials, keys)
        items = "/catalogs/<catalog_name>/items"
        for method, path, view in (
            ("POST", TRACK, users.track),
            ("POST", "/users/export/ids", users.export_ids),
            ("POST", "/users/delete", users.delete),
            ("POST", "/users/identify", users.identify),
            ("POST", "/users/merge", users.merge),
            ("GET", "/catalogs", catalogs.all),
            ("POST", "/catalogs", catalogs.create),
            ("POST", "/catalogs/<catalog_name>/fields", catalogs.add_fields),
            ("PUT", items, catalogs.replace),
            ("DELETE", items, catalogs.remove),
            ("GET", "/segments/list", messaging.segments),
            ("POST", "/users/export/segment", messaging.export_segment),
            ("POST", "/campaigns/trigger/send", messaging.trigger),
        ):
            _add(api, method, path, keys.needed(view))
        # Partners carry their keys in the body; an export's address is its key.
        _add(api, "POST", "/partners/<partner>/cohorts", cohorts.declare_cohort)
        _add(api, "POST", "/partners/<partner>/cohorts/users", cohorts.cohort_users)
        _add(api, "GET", "/exports/<name>.zip", messaging.exported)
        Gate(
            self.dials, self.bench.log, self.bench.now, refused, WINDOWS,
            other_message=OTHER_MESSAGE,
        ).guard(api)  # fmt: skip
        return api


def _add(api: Blueprint, method: str, path: str, view: View) -> None:
    api.add_url_rule(path, f"{method} {view.__name__}", view, methods=[method])
