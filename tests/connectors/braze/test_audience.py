"""Who is in a segment of Braze: an export that is waited for, fetched and unpacked with care."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors import delivery
from connectors.braze import audience as module
from connectors.braze.audience import Patience, external_ids
from connectors.braze.connector import open_braze
from connectors.errors import Retry, Stop
from tests.connectors.braze.conftest import Braze


def zipped(*files: bytes) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.json", file)
    return content


def ask(braze: Braze, segment_id: str = "seg-1", total_s: float = 100.0) -> list[str]:
    tool = open_braze(braze.connection)
    patient = replace(tool, patience=Patience(total_s=total_s, sleep=braze.time.sleep))
    try:
        return list(patient.audience(segment_id))
    finally:
        tool.close()


@pytest.fixture
def pushed(braze: Braze) -> Iterator[Braze]:
    members = [f"m{n:05}" for n in range(5_001)]
    delivery.push_segment(
        braze.connection, segment_id="seg-1", name="S", members=members, **braze.options()
    )
    yield braze


def test_all_members_come_back_once_the_file_is_there(pushed: Braze) -> None:
    assert ask(pushed) == [f"m{n:05}" for n in range(5_001)]
    assert pushed.time.slept_s > 0


def test_a_file_that_never_comes_is_said_to_come_later(pushed: Braze) -> None:
    with pytest.raises(Retry, match="not ready in time"):
        ask(pushed, total_s=0)


def test_bad_input_an_unknown_segment_is_told(braze: Braze) -> None:
    with pytest.raises(Stop, match="Invalid segment_id"):
        ask(braze, "nobody")


def test_bad_input_an_address_elsewhere_is_never_called(pushed: Braze) -> None:
    elsewhere = pushed.having(export_hosts=["*.s3.amazonaws.com"])
    with pytest.raises(Stop, match=r"at '127\.0\.0\.1', which is not an allowed host"):
        ask(elsewhere)


def test_an_export_into_the_clients_own_storage_says_where_to_look(
    pushed: Braze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "accepted", lambda *_: {"message": "success"})
    with pytest.raises(Stop, match="cloud storage that is linked"):
        ask(pushed)


def test_people_without_external_id_are_left_out() -> None:
    content = zipped(b'{"external_id":"a"}\n{"braze_id":"x"}\n\n', b'{"external_id":"b"}')
    assert list(external_ids(content)) == ["a", "b"]


@pytest.mark.parametrize("line", [b"not json", b"[1]", b'{"external_id":"a"}\n{"external'])
def test_bad_input_a_broken_line_gives_no_half_audience(line: bytes) -> None:
    with pytest.raises(Stop, match="not a JSON object"):
        list(external_ids(zipped(line)))


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>", b"x" * 70_000])
def test_bad_input_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(Stop, match="not a readable zip"):
        list(external_ids(io.BytesIO(content)))


def test_bad_input_a_damaged_zip_is_refused() -> None:
    content = bytearray(zipped(b'{"external_id":"a"}\n' * 1_000).getvalue())
    content[60:70] = b"0123456789"
    with pytest.raises(Stop, match="not a readable zip"):
        list(external_ids(io.BytesIO(bytes(content))))


def test_bad_input_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNPACKED_BYTES", 10_000)
    with pytest.raises(Stop, match="larger than any"):
        list(external_ids(zipped(b'{"external_id":"a"}\n' * 1_000)))


def test_bad_input_an_endless_line_is_not_held() -> None:
    with pytest.raises(Stop, match="larger than any"):
        list(external_ids(zipped(b" " * 1_000_001)))


def test_bad_input_a_zip_of_too_many_files_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DIRECTORY_BYTES", 1_000)
    with pytest.raises(Stop, match="more files than any"):
        list(external_ids(zipped(*[b"{}"] * 100)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bad_input_a_zip_packed_like_none_of_brazes_is_refused(compression: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("users.txt", b'{"external_id": "c1"}\n')
    with pytest.raises(Stop, match="not a readable zip"):
        list(external_ids(file))
