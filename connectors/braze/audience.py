"""Who is in a segment of Braze: an export that is made in the background and fetched as a zip of
JSON lines.

https://www.braze.com/docs/api/endpoints/export/user_data/post_users_segment/
"""

from __future__ import annotations

import io
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import orjson

from connectors.braze.answers import accepted
from connectors.errors import Retry, Stop, nothing_to_split
from connectors.http import Client, download

PATH = "/users/export/segment"
NOT_THERE_YET = (403, 404)  # what object storage says of a file that is still being written
ZIP_BYTES = 1_000_000_000
UNPACKED_BYTES = 20_000_000_000
DIRECTORY_BYTES = 16_000_000  # of the list of files in the zip, which is held in memory
LINE_BYTES = 1_000_000
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack without a limit at a time


def nap(seconds: float) -> None:
    """Wait for real."""
    time.sleep(seconds)


@dataclass(frozen=True)
class Patience:
    """How the export is waited for: first ``first_s``, doubled up to ``longest_s``, ``total_s`` in
    all. Its address is valid for four hours."""

    first_s: float = 5.0
    longest_s: float = 60.0
    total_s: float = 3_600.0
    sleep: Callable[[float], None] = nap


def audience(
    client: Client, segment_id: str, hosts: Sequence[str], patience: Patience
) -> Iterator[str]:
    """External ids of those in the segment; people without one are left out.

    ``hosts`` are patterns of hosts that the export may be fetched from. Raises Retry or Stop.
    """
    url = _start(client, segment_id)
    with tempfile.TemporaryFile() as file:
        _fetch(url, file, hosts, patience)
        yield from external_ids(file)


def external_ids(file: IO[bytes]) -> Iterator[str]:
    """Of a zip of JSON lines. Raises Stop for what is no such zip, or too large: half an audience
    is worse than none."""
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            left = UNPACKED_BYTES
            for entry in archive.infolist():
                if entry.compress_type not in COMPRESSIONS:
                    raise zipfile.BadZipFile
                # a zip's own reader does not keep to the limit of a line
                with archive.open(entry) as raw, io.BufferedReader(raw) as lines:  # type: ignore[type-var]
                    while line := lines.readline(LINE_BYTES):
                        left -= len(line)
                        if left < 0 or len(line) == LINE_BYTES:
                            raise Stop("the export is larger than any that Braze documents")
                        if external_id := _external_id(line):
                            yield external_id
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Stop(f"the export is not a readable zip file: {type(error).__name__}") from error
    except ValueError as error:
        raise Stop("a line of the export is not a JSON object") from error


def _start(client: Client, segment_id: str) -> str:
    body = {"segment_id": segment_id, "fields_to_export": ["external_id"]}
    with nothing_to_split():
        answer = client.request("POST", PATH, body=orjson.dumps(body))
        url = accepted(client, answer).get("url")
    if not isinstance(url, str):
        raise Stop(
            "Braze writes exports to the cloud storage that is linked with it and gives no address:"
            " read them from there, or unlink it"
        )
    return url


def _fetch(url: str, file: IO[bytes], hosts: Sequence[str], patience: Patience) -> None:
    nap_s, waited_s = patience.first_s, 0.0
    while True:
        status = download(url, file, hosts=hosts, most_bytes=ZIP_BYTES)
        if status == 200:
            return
        if status not in NOT_THERE_YET:
            raise Retry("the export could not be fetched", status=status)
        if waited_s >= patience.total_s:
            raise Retry("the export was not ready in time", status=status)
        patience.sleep(nap_s)
        waited_s += nap_s
        nap_s = min(2 * nap_s, patience.longest_s)


def _check_directory(file: IO[bytes]) -> None:
    """The list of files at the end of a zip is read as a whole: refuse a huge one before."""
    size = file.seek(0, 2)
    start = max(0, size - 65_600)  # the end record with its longest comment, and what precedes it
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise zipfile.BadZipFile
    (directory_bytes,) = struct.unpack_from("<L", tail, at + 12)
    if directory_bytes > DIRECTORY_BYTES or tail[max(at - 20, 0) :].startswith(b"PK\x06\x07"):
        raise Stop("the export holds more files than any that Braze documents")


def _external_id(line: bytes) -> str | None:
    if not line.strip():
        return None
    profile = orjson.loads(line)
    if not isinstance(profile, dict):
        raise ValueError
    external_id = profile.get("external_id")
    return external_id if isinstance(external_id, str) and external_id else None
