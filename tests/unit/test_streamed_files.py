"""Files that are too large to be held in memory: as whole, private and careful as any other."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tui_licenses.errors import FileError
from tui_licenses.files import streaming
from tui_licenses.files.streaming import new_private_file

PIECE = b"0123456789" * 7


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_CHUNK_BYTES", 256)


def write(path: Path, count: int = 100) -> tuple[int, str]:
    with new_private_file(path) as file:
        for _ in range(count):
            file.add(PIECE)
    return file.size, file.sha256


def test_a_streamed_file_is_whole_private_and_of_the_size_and_digest_it_says(
    tmp_path: Path,
) -> None:
    before = os.umask(0)
    try:
        size, sha256 = write(tmp_path / "a")
    finally:
        os.umask(before)
    data = (tmp_path / "a").read_bytes()
    assert data == PIECE * 100
    assert (size, sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["a"]


def test_it_has_no_name_before_its_end(tmp_path: Path) -> None:
    with new_private_file(tmp_path / "a") as file:
        file.add(PIECE * 10)
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").exists()


def test_what_ends_by_an_exception_leaves_nothing(tmp_path: Path) -> None:
    def break_off() -> None:
        with new_private_file(tmp_path / "a") as file:
            file.add(PIECE * 10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert names_in(tmp_path) == []


def test_it_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with pytest.raises(FileError) as refused:
        write(tmp_path / "a")
    assert refused.value.code == "file-exists"
    assert (tmp_path / "a").read_bytes() == b"older"
    assert names_in(tmp_path) == ["a"]


def test_a_file_that_reads_back_otherwise_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def spoil(source: str, target: str, **how: object) -> None:
        link(source, target, **how)  # type: ignore[arg-type]
        with (tmp_path / "a").open("r+b") as file:
            # In the last chunk, and of the same length.
            file.seek(-1, os.SEEK_END)
            file.write(b"#")

    monkeypatch.setattr(os, "link", spoil)
    with pytest.raises(FileError) as refused:
        write(tmp_path / "a")
    assert refused.value.code == "disk-failing"
    assert names_in(tmp_path) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError) as refused:
        write(tmp_path / "nowhere" / "a")
    assert refused.value.code == "folder-not-writable"
