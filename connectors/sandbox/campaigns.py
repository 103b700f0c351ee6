"""Campaigns and their outbox: one message a person and campaign, however often it is sent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.sandbox.feeds import Feed
from connectors.sandbox.profiles import Profiles
from connectors.sandbox.rendering import DEFAULT_DIALECT, Draft, Message, Renderer
from connectors.sandbox.storage import Storage

PAGE = 200  # messages that are rendered, then written in one transaction
log = logging.getLogger(__name__)

RECIPIENTS = """
SELECT external_id FROM cohort_member AS r
WHERE cohort_id = :cohort AND external_id > :after AND NOT EXISTS (
    SELECT 1 FROM message AS m WHERE m.campaign_id = :campaign AND m.external_id = r.external_id)
ORDER BY external_id LIMIT :page
"""


class UnknownCampaignError(Exception):
    """There is no such campaign, or it has nobody to go to."""


@dataclass(frozen=True)
class Definition:
    """What a campaign says and to whom. ``dialect``: a name in connectors.sandbox.dialects."""

    name: str
    template: str
    cohort_id: str | None = None
    dialect: str = DEFAULT_DIALECT
    feed: Feed | None = None


@dataclass(frozen=True)
class Recipient:
    """``properties`` come with an API-triggered send."""

    external_id: str
    properties: Mapping[str, Any]


class Campaigns:
    """Thread-safe. ``threads`` messages are rendered at a time; ``now`` gives ISO times."""

    def __init__(
        self,
        storage: Storage,
        profiles: Profiles,
        renderer: Renderer,
        *,
        now: Callable[[], str],
        threads: int,
    ) -> None:
        self._storage = storage
        self._profiles = profiles
        self._renderer = renderer
        self._now = now
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="render")
        self._running: dict[str, threading.Thread] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def define(self, campaign_id: str, definition: Definition) -> None:
        """Make or replace a campaign; its outbox stays. Raises TemplateError."""
        self._renderer.parse(definition.template, definition.dialect, definition.feed)
        feed = None if definition.feed is None else orjson.dumps(definition.feed).decode()
        self._storage.write(
            "INSERT INTO campaign VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(campaign_id) DO UPDATE"
            " SET name = excluded.name, template = excluded.template,"
            " cohort_id = excluded.cohort_id, dialect = excluded.dialect, feed = excluded.feed",
            (campaign_id, definition.name, definition.template, definition.cohort_id, self._now(),
             definition.dialect, feed),
        )  # fmt: skip

    def delete(self, campaign_id: str) -> bool:
        """Remove a campaign with its outbox."""
        self._storage.write("DELETE FROM message WHERE campaign_id = ?", [campaign_id])
        return self._storage.write("DELETE FROM campaign WHERE campaign_id = ?", [campaign_id]) > 0

    def get(self, campaign_id: str) -> dict[str, Any] | None:
        """The campaign with the state of its send and the numbers of its outbox."""
        row = self._storage.row("SELECT * FROM campaign WHERE campaign_id = ?", [campaign_id])
        return None if row is None else self._with_numbers(row)

    def all(self) -> list[dict[str, Any]]:
        """Newest first."""
        rows = self._storage.rows("SELECT * FROM campaign ORDER BY created_at DESC, campaign_id")
        return [self._with_numbers(row) for row in rows]

    def start(self, campaign_id: str) -> None:
        """Send to the members of the campaign's cohort who have no message yet, in the background.

        Does nothing when it is being sent. Raises UnknownCampaignError.
        """
        row = self._storage.row("SELECT * FROM campaign WHERE campaign_id = ?", [campaign_id])
        if row is None:
            raise UnknownCampaignError(f"there is no campaign {campaign_id}")
        if row["cohort_id"] is None:
            raise UnknownCampaignError(f"campaign {campaign_id} has no cohort to go to")
        with self._lock:
            if campaign_id in self._running:
                return
            self._problems.pop(campaign_id, None)
            thread = threading.Thread(target=self._run, args=[row], daemon=True)
            self._running[campaign_id] = thread
        thread.start()

    def send_to(self, campaign_id: str, recipients: Sequence[Recipient]) -> None:
        """Send to these now, but to nobody twice. Raises UnknownCampaignError."""
        row = self._storage.row("SELECT * FROM campaign WHERE campaign_id = ?", [campaign_id])
        if row is None:
            raise UnknownCampaignError(f"there is no campaign {campaign_id}")
        once = {recipient.external_id: recipient for recipient in recipients}
        known = {
            external_id
            for external_id in once
            if self._storage.row(
                "SELECT 1 FROM message WHERE campaign_id = ? AND external_id = ?",
                [campaign_id, external_id],
            )
        }
        self._render_all(row, [r for r in once.values() if r.external_id not in known])

    def messages(
        self, campaign_id: str, *, after: str = "", count: int = 500, state: str | None = None
    ) -> list[dict[str, Any]]:
        """A page of the outbox, by external id."""
        return self._storage.rows(
            "SELECT * FROM message WHERE campaign_id = :campaign AND external_id > :after"
            " AND (:state IS NULL OR state = :state) ORDER BY external_id LIMIT :count",
            {"campaign": campaign_id, "after": after, "state": state, "count": count},
        )

    def newest(self, count: int, external_id: str | None = None) -> list[dict[str, Any]]:
        return self._storage.rows(
            "SELECT * FROM message WHERE :id IS NULL OR external_id = :id"
            " ORDER BY rendered_at DESC, external_id LIMIT :count",
            {"id": external_id, "count": count},
        )

    def close(self) -> None:
        """Stop sending; what was not written yet is rendered by the next send."""
        self._closing.set()
        for thread in list(self._running.values()):
            thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _run(self, row: Mapping[str, Any]) -> None:
        campaign_id = row["campaign_id"]
        try:
            for recipients in self._waiting(row):
                self._render_all(row, recipients)
        except Exception as error:
            log.exception("campaign %s was not sent to the end", campaign_id)
            self._problems[campaign_id] = f"{type(error).__name__}: {error}"
        finally:
            with self._lock:
                del self._running[campaign_id]

    def _waiting(self, row: Mapping[str, Any]) -> Iterator[list[Recipient]]:
        after = ""
        values = {"cohort": row["cohort_id"], "campaign": row["campaign_id"], "page": PAGE}
        while not self._closing.is_set():
            page = self._storage.rows(RECIPIENTS, {**values, "after": after})
            if not page:
                return
            after = page[-1]["external_id"]
            yield [Recipient(found["external_id"], {}) for found in page]

    def _render_all(self, row: Mapping[str, Any], recipients: Sequence[Recipient]) -> None:
        feed = Feed(**orjson.loads(row["feed"])) if row["feed"] else None
        draft = self._renderer.parse(row["template"], row["dialect"], feed)
        messages = self._pool.map(lambda r: self._render(row, draft, r), recipients)
        self._storage.write_many(
            "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (row["campaign_id"], recipient.external_id, message.state, message.subject,
                 message.body, message.reason, self._now())
                for recipient, message in zip(recipients, messages, strict=True)
            ],
        )  # fmt: skip

    def _render(self, row: Mapping[str, Any], draft: Draft, recipient: Recipient) -> Message:
        profile = self._profiles.get(recipient.external_id)
        if profile is None:
            return Message("failed", reason="there is no profile with this external id")
        campaign = {"api_id": row["campaign_id"], "name": row["name"]}
        return self._renderer.render(
            draft, profile=profile, campaign=campaign, properties=recipient.properties
        )

    def _with_numbers(self, row: dict[str, Any]) -> dict[str, Any]:
        campaign_id = row["campaign_id"]
        counts = self._storage.rows(
            "SELECT state, count(*) AS n FROM message WHERE campaign_id = ? GROUP BY 1",
            [campaign_id],
        )
        numbers = {"sent": 0, "aborted": 0, "failed": 0, **{c["state"]: c["n"] for c in counts}}
        audience = self._storage.number(
            "SELECT count(*) FROM cohort_member WHERE cohort_id = ?", [row["cohort_id"]]
        )
        return {
            **row,
            **numbers,
            "audience": audience,
            "sending": campaign_id in self._running,
            "problem": self._problems.get(campaign_id),
        }
