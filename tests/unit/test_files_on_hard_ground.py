"""Saving where the ground is hard: odd file systems, refusals, killed programs, swapped folders."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tui_licenses.errors import FileError
from tui_licenses.files import NewFile, leftovers, write_private, write_sets

LEFT = ".a.bin.0123456789abcdef.part"


@pytest.fixture(autouse=True)
def nothing_swept_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_swept", set())


def refused(path: Path, data: bytes = b"data", *, replace: bool = False) -> FileError:
    with pytest.raises(FileError) as caught:
        write_private(path, data, replace=replace)
    return caught.value


def old_file(path: Path, age_seconds: float = 2 * 60 * 60) -> Path:
    path.write_bytes(b"half")
    long_ago = time.time() - age_seconds
    os.utime(path, (long_ago, long_ago))
    return path


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.parametrize("umask", [0, 0o777])
def test_a_file_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_private(tmp_path / "a.bin", b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o600


def test_nothing_is_saved_where_anybody_may_change_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    error = refused(tmp_path / "a.bin")
    assert error.code == "folder-unsafe"
    assert f"chmod o-w {tmp_path}" in error.next_step
    tmp_path.chmod(0o1777)
    assert write_private(tmp_path / "a.bin", b"data")


def test_what_is_replaced_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for data in (b"one", b"two", b"three"):
        write_private(path, data, keep_old=True)
    assert path.read_bytes() == b"three"
    assert (tmp_path / "a.bin.bak").read_bytes() == b"two"
    assert names_in(tmp_path) == ["a.bin", "a.bin.bak"]


def test_the_kept_file_of_a_save_that_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"one")
    (tmp_path / "a.bin.bak").hardlink_to(path)
    write_private(path, b"two", keep_old=True)
    assert (tmp_path / "a.bin.bak").read_bytes() == b"one"
    assert names_in(tmp_path) == ["a.bin", "a.bin.bak"]


def test_without_hard_links_a_taken_name_is_still_refused_and_the_old_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"one")
    no_links(monkeypatch)
    assert refused(path).code == "file-exists"
    assert write_private(path, b"one", replace=False) is False
    write_private(path, b"two", keep_old=True)
    assert path.read_bytes() == b"two"
    assert (tmp_path / "a.bin.bak").read_bytes() == b"one"
    assert names_in(tmp_path) == ["a.bin", "a.bin.bak"]


def test_where_no_name_can_be_taken_safely_only_what_may_be_replaced_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_links(monkeypatch)
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    error = refused(tmp_path / "a.bin")
    assert error.code == "folder-not-writable"
    assert "protect files" in error.message
    assert names_in(tmp_path) == []
    assert write_private(tmp_path / "a.bin", b"data", replace=True)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOSPC, "disk-full", "no room"),
        (errno.EDQUOT, "disk-full", "quota"),
        (errno.EROFS, "folder-not-writable", "only be read"),
        (errno.EACCES, "folder-not-writable", "Permission denied"),
        (errno.ENAMETOOLONG, "name-too-long", "too long"),
        (errno.EIO, "disk-failing", "may be failing"),
    ],
)
def test_each_refusal_of_the_disk_is_told_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, words: str
) -> None:
    def write(_: int, __: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", write)
    error = refused(tmp_path / "a.bin")
    assert error.code == code
    assert words in error.message
    assert error.next_step
    assert names_in(tmp_path) == []


def test_a_name_that_no_file_system_takes_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / ("a" * 300)).code == "name-too-long"


def failing_once(function: Callable[[int], None], number: int) -> Callable[[int], None]:
    left = [number]

    def fail(descriptor: int) -> None:
        if left:
            raise OSError(left.pop(), "refused")
        function(descriptor)

    return fail


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EINTR, errno.ENOTSUP])
def test_what_passes_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing_once(os.fsync, number))
    assert write_private(tmp_path / "a.bin", b"data")
    assert names_in(tmp_path) == ["a.bin"]


def test_what_closing_tells_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "close", failing_once(os.close, errno.EDQUOT))
    assert refused(tmp_path / "a.bin").code == "disk-full"
    assert names_in(tmp_path) == []


def test_a_save_that_did_not_happen_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"old")
    monkeypatch.setattr(os, "rename", lambda *_, **__: None)
    assert refused(path, replace=True).code == "file-changed"
    assert path.read_bytes() == b"old"


def test_bytes_that_do_not_read_back_lose_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "a.bin", os.link

    def spoilt(source: str, target: str, *, src_dir_fd: int, **_: object) -> None:
        link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=src_dir_fd)
        path.write_bytes(b"dats")

    monkeypatch.setattr(os, "link", spoilt)
    assert refused(path).code == "disk-failing"
    assert names_in(tmp_path) == []


def test_a_folder_that_is_swapped_meanwhile_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, moved, other = tmp_path / "mine", tmp_path / "moved", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    sync = os.fsync

    def swap(descriptor: int) -> None:
        sync(descriptor)
        if not moved.exists():
            folder.rename(moved)
            folder.symlink_to(other)

    monkeypatch.setattr(os, "fsync", swap)
    assert refused(folder / "a.bin").code == "folder-not-writable"
    assert names_in(other) == []


def test_leftovers_of_killed_programs_are_swept_and_nothing_else(tmp_path: Path) -> None:
    old_file(tmp_path / LEFT)
    names = ("a.part", ".a.part", ".a.bin.0123456789abcdeX.part", ".part", "a.bin.bak")
    kept = [old_file(tmp_path / name).name for name in names]
    (tmp_path / ".d.0123456789abcdef.part").mkdir()
    (tmp_path / ".l.0123456789abcdef.part").symlink_to(tmp_path / "a.bin.bak")
    os.mkfifo(tmp_path / ".f.0123456789abcdef.part")
    young = tmp_path / ".y.0123456789abcdef.part"
    young.write_bytes(b"half")
    kept += [".d.0123456789abcdef.part", ".l.0123456789abcdef.part", ".f.0123456789abcdef.part"]
    write_private(tmp_path / "new", b"data")
    assert names_in(tmp_path) == sorted([*kept, young.name, "new"])


def test_a_leftover_that_somebody_still_writes_stays(tmp_path: Path) -> None:
    held = old_file(tmp_path / LEFT)
    with held.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        write_private(tmp_path / "new", b"data")
        assert held.exists()


def test_more_sets_than_may_be_open_at_once_are_saved(tmp_path: Path) -> None:
    sets = [[NewFile(tmp_path / f"{number}", b"data", replace=False)] for number in range(400)]
    assert write_sets(sets) == [True] * 400
    assert len(names_in(tmp_path)) == 400


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_folder_that_no_folder_can_be_called_is_refused_in_words(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(FileError) as caught:
        write_private(tmp_path / name / "file", b"")
    assert caught.value.code == "folder-not-writable"
    assert "such a name" in caught.value.message
