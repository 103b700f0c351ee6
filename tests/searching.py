"""Searching everything an installation keeps for texts and bytes, whatever it is packed in."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import zstandard

_ZSTD = b"\x28\xb5\x2f\xfd"


def needles_of(name: str, texts: Iterable[str], hashes: Iterable[bytes]) -> dict[bytes, str]:
    """What to look for → what it is: texts as UTF-8 and as arrays hold them, hashes raw, in hex and
    in base64 at each alignment."""
    found: dict[bytes, str] = {}
    for text in texts:
        for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
            found[text.encode(encoding)] = f"{name}: {text} ({encoding})"
    for value in hashes:
        found[value] = f"{name}: hash"
        found[value.hex().encode()] = f"{name}: hash in hex"
        for shift in range(3):
            inner = urlsafe_b64encode(b"\0" * shift + value + b"\0\0")
            whole = inner[(shift * 8 + 5) // 6 : (shift + len(value)) * 8 // 6]
            found[whole] = f"{name}: hash in base64"
    return found


def in_files(folder: Path, needles: Mapping[bytes, str]) -> list[str]:
    """ "path: what" for each file below ``folder`` that holds a needle."""
    hits = set()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = str(path.relative_to(folder))
        for form in _forms(name.encode() + b"\n" + path.read_bytes(), path):
            hits |= {f"{name}: {what}" for what in _found(form, needles)}
    return sorted(hits)


def in_store(client: Any, needles: Mapping[bytes, str]) -> list[str]:
    """ "key: what" for each key of the store whose name or value holds a needle."""
    hits = set()
    for key in client.scan_iter(count=1000):
        for form in (key, *_values(client, key)):
            for each in (form, _unzipped(form)):
                hits |= {f"{key!r}: {what}" for what in _found(each, needles)}
    return sorted(hits)


def _found(data: bytes, needles: Mapping[bytes, str]) -> set[str]:
    return {what for needle, what in needles.items() if needle in data}


def _forms(data: bytes, path: Path) -> Iterator[bytes]:
    """A file's bytes, and what is packed in them."""
    yield data
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    yield _unzipped(content)
    if content[:4] == b"PAR1":
        for column in pq.read_table(path).combine_chunks().itercolumns():
            for chunk in column.chunks:
                yield from (bytes(each) for each in chunk.buffers() if each is not None)
                yield "\n".join(map(str, chunk.to_pylist())).encode("utf-8", "surrogatepass")


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"string":
        yield client.get(key) or b""
    elif kind == b"hash":
        for name, value in client.hgetall(key).items():
            yield from (name, value)
    elif kind == b"zset":
        yield from client.zrange(key, 0, -1)
    elif kind == b"set":
        yield from client.smembers(key)
    elif kind == b"list":
        yield from client.lrange(key, 0, -1)
    elif kind == b"stream":
        for _, fields in client.xrange(key):
            yield from (part for pair in fields.items() for part in pair)
    else:
        raise AssertionError(f"{key!r} is a {kind!r}: say here how to read it")


def _unzipped(data: bytes) -> bytes:
    start = data.find(_ZSTD)
    if 0 <= start < 16:  # behind a header of ours
        return zstandard.ZstdDecompressor().decompressobj().decompress(data[start:])
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""
