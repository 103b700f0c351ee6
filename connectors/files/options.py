"""Options of a connection of type ``files``."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

import marshmallow
from marshmallow import fields
from marshmallow.validate import OneOf

from connectors.files.formats import FORMATS
from connectors.files.store import PACKAGES
from connectors.options import ConnectorOptions
from settings.fields import Flag, WholeNumber, about, between

CHANGES, FULL = "changes", "full"


def usable_url(url: str) -> None:
    """Raises ValidationError for what is no absolute folder and no known kind of storage."""
    protocol, separator, path = url.partition("://")
    if separator:
        known = protocol in PACKAGES and re.fullmatch(r"[^\s:?#]+", path) is not None
    else:
        known = PurePosixPath(url).is_absolute() and url.isprintable()
    if not known or "::" in url or ".." in PurePosixPath(path or url).parts:
        stores = ", ".join(f"{name}://" for name in PACKAGES)
        raise marshmallow.ValidationError(f"an absolute folder, or an address with one of {stores}")


class FilesOptions(ConnectorOptions):
    """A folder or a bucket."""

    url = fields.String(
        required=True,
        validate=usable_url,
        metadata=about(
            "folder (absolute) or bucket and prefix that gets the files", "s3://crm/out"
        ),
    )
    format = fields.String(
        load_default="csv",
        validate=OneOf(tuple(FORMATS)),
        metadata=about("what the files are", "parquet"),
    )
    content = fields.String(
        load_default=CHANGES,
        validate=OneOf((CHANGES, FULL)),
        metadata=about("only what changed since the run before, or everybody in each run", FULL),
    )
    file_bytes = WholeNumber(
        load_default=64_000_000,
        validate=between(10_000, 1_000_000_000),
        metadata=about("the most bytes of one file (of Parquet, before it is compressed)"),
    )
    spreadsheet_safe = Flag(
        load_default=True,
        metadata=about("CSV: put ' before a text that a spreadsheet would take for a formula"),
    )
    storage_options: Any = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata=about("what fsspec needs to open the storage: keys, endpoint", secret=True),
    )
