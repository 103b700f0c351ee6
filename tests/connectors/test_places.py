"""Files in object storage, by whatever fsspec knows."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import places
from connectors.inbound import Unreadable


class Bucket:
    """A file system as fsspec gives it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.held = files

    def url_to_fs(self, url: str) -> tuple[Bucket, str]:
        return self, url.removeprefix("s3://")

    def find(self, root: str, detail: bool) -> dict[str, dict[str, Any]]:
        return {
            name: {"type": "file", "size": len(content), "ETag": f'"{hash(content)}"'}
            for name, content in self.held.items()
            if name.startswith(root)
        } | {f"{root}/folder.avro": {"type": "directory", "size": 0}}

    glob = find

    def cat_file(self, name: str) -> bytes:
        return self.held[name]

    def unstrip_protocol(self, name: str) -> str:
        return f"s3://{name}"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    bucket = Bucket({"shop/b.avro": b"2", "shop/a.avro": b"1", "shop/x.txt": b"", "else.avro": b""})
    monkeypatch.setitem(sys.modules, "fsspec", SimpleNamespace(core=bucket))
    return bucket


def test_files_of_a_bucket_by_name(bucket: Bucket) -> None:
    found = places.files("s3://shop", Path(), suffix=".avro")
    assert [(each.name, each.read()) for each in found] == [
        ("s3://shop/a.avro", b"1"), ("s3://shop/b.avro", b"2"),
    ]  # fmt: skip


def test_another_content_has_another_fingerprint(bucket: Bucket) -> None:
    before = places.files("s3://shop/a.avro", Path(), suffix=".avro")[0].fingerprint
    bucket.held["shop/a.avro"] = b"9"
    assert places.files("s3://shop/a.avro", Path(), suffix=".avro")[0].fingerprint != before


def test_bad_input_a_bucket_that_refuses_is_named(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, *_) = places.files("s3://shop", Path(), suffix=".avro")
    bucket.held.clear()
    with pytest.raises(Unreadable, match=r"shop/a\.avro: KeyError"):
        first.read()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError("Forbidden\nsecond line")

    monkeypatch.setattr(bucket, "find", refused)
    with pytest.raises(Unreadable, match=r"^s3://shop: PermissionError: Forbidden$"):
        places.files("s3://shop", Path(), suffix=".avro")


def test_bad_input_without_fsspec_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(Unreadable, match=r"pip install 'fsspec\[s3\]'"):
        places.files("s3://shop", Path(), suffix=".avro")
