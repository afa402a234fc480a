"""`SHA256SUMS` is what GNU coreutils write and read, whatever the names."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from tui_licenses.service import checksums
from tui_licenses.service.checksums import CHECKSUMS_NAME, update_checksums


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def lines(folder: Path) -> list[str]:
    return (folder / CHECKSUMS_NAME).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "name", ["plain.bin", "a b*c.bin", "back\\slash", "new\nline", "cr\rx", "Ω"]
)
def test_each_line_is_the_one_that_sha256sum_writes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("data", encoding="utf-8")
    assert update_checksums(tmp_path, {name: sha256("data")}, may_create=True) is None
    for words in (["sha256sum", "--", name], ["sha256sum", "--check", "--strict", CHECKSUMS_NAME]):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
        if words[1] == "--":
            assert done.stdout == (tmp_path / CHECKSUMS_NAME).read_bytes()
    again = (tmp_path / CHECKSUMS_NAME).stat()
    assert update_checksums(tmp_path, {name: sha256("data")}, may_create=True) is None
    assert (tmp_path / CHECKSUMS_NAME).stat().st_ino == again.st_ino


def test_entries_are_merged_and_sorted_and_those_of_lost_files_go(tmp_path: Path) -> None:
    for name in ("a.bin", "b.bin", "mine"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    before = [
        "# written by hand",
        f"{sha256('mine')} *mine",
        f"{sha256('old')}  b.bin",
        f"{sha256('x')}  lost.bin",
        f"{sha256('x')}  sub/folder.bin",
    ]
    (tmp_path / CHECKSUMS_NAME).write_text("\n".join(before), encoding="utf-8")
    new = {"b.bin": sha256("b.bin"), "a.bin": sha256("a.bin")}
    assert update_checksums(tmp_path, new, may_create=False) is None
    assert lines(tmp_path) == [
        "# written by hand",
        f"{sha256('a.bin')}  a.bin",
        f"{sha256('b.bin')}  b.bin",
        f"{sha256('mine')}  mine",
        f"{sha256('x')}  sub/folder.bin",
    ]


def test_names_in_other_encodings_come_out_as_they_went_in(tmp_path: Path) -> None:
    name = b"caf\xe9"
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"x")
    entry = sha256("x").encode() + b"  " + name + b"\n"
    (tmp_path / CHECKSUMS_NAME).write_bytes(entry)
    assert update_checksums(tmp_path, {"a": sha256("a")}, may_create=False) is None
    assert entry in (tmp_path / CHECKSUMS_NAME).read_bytes()


def test_none_is_made_where_none_may_be(tmp_path: Path) -> None:
    assert update_checksums(tmp_path, {"a": sha256("a")}, may_create=False) is None
    assert not (tmp_path / CHECKSUMS_NAME).exists()


def test_a_list_that_cannot_be_one_is_left_alone_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / CHECKSUMS_NAME).mkdir()
    error = update_checksums(tmp_path, {"a": sha256("a")}, may_create=True)
    assert error is not None
    (tmp_path / CHECKSUMS_NAME).rmdir()
    monkeypatch.setattr(checksums, "_BYTES_MAXIMUM", 10)
    (tmp_path / CHECKSUMS_NAME).write_bytes(b"x" * 11)
    error = update_checksums(tmp_path, {"a": sha256("a")}, may_create=True)
    assert error is not None
    assert error.code == "file-unreadable"
    assert update_checksums(tmp_path / "none", {"a": sha256("a")}, may_create=True) is not None
