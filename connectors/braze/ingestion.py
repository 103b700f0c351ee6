"""User attributes as files for Cloud Data Ingestion: no API calls, no rate limit.

https://www.braze.com/docs/user_guide/data/unification/cloud_ingestion/file_storage_integrations/
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from connectors.braze.identity import external_id
from connectors.braze.track import check_names
from connectors.customers import CustomerTarget
from connectors.errors import Stop
from connectors.tool import Encoded, Limits, Outcome


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Files(CustomerTarget):
    """A request is a file, which appears whole or not at all. Order between files does not matter:
    a customer is in one of a sync's."""

    folder: Path
    update_existing_only: bool
    now: Callable[[], datetime] = utc_now

    # Braze takes files up to 512 MB and asks for smaller ones; a file is held in memory while it
    # is written, so it is kept to a few megabytes.
    limits = Limits(items=5_000, body_bytes=100_000_000, item_bytes=100_000, envelope_bytes=0)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One line. Raises Reject for an id or a name that Braze cannot take."""
        check_names(change)
        payload = dict(change)
        if self.update_existing_only:
            payload["_update_existing_only"] = True
        row = {"external_id": external_id(customer_id), "payload": orjson.dumps(payload).decode()}
        return Encoded(orjson.dumps(row))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One file. Raises Stop when the folder cannot be written."""
        name = f"rightsend-{self.now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}.json"
        draft = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.writelines(record + b"\n" for record in records)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise Stop(f"{self.folder} cannot be written: {error.strerror or error}") from error
        return Outcome()
