"""Files in a folder or in object storage, for every tool that reads those."""

from connectors.files.connector import open_files
from connectors.files.options import FilesOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Files (CSV, NDJSON, Parquet)",
    FilesOptions,
    open_files,
    abilities(Ability.ATTRIBUTES, Ability.SEGMENTS),
    {"bytes of a file": "file_bytes, 64 MB as it stands", "bytes of a row": "1 MB"},
)
