"""Files are written whole or not at all, privately, and never over other bytes by accident."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tui_licenses.errors import FileError
from tui_licenses.files import NewFile, read_private, write_private, write_sets


def refused(path: Path, data: bytes = b"data", *, replace: bool = True) -> FileError:
    with pytest.raises(FileError) as caught:
        write_private(path, data, replace=replace)
    return caught.value


def test_a_written_file_is_private_and_alone_in_its_folder(tmp_path: Path) -> None:
    write_private(tmp_path / "a.bin", b"data")
    assert (tmp_path / "a.bin").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["a.bin"]


def test_a_file_is_replaced_only_when_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"old")
    assert refused(path, b"new", replace=False).code == "file-exists"
    assert path.read_bytes() == b"old"
    write_private(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert names_in(tmp_path) == ["a.bin"]


def test_the_same_bytes_again_are_no_conflict_and_leave_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"same")
    before = path.stat()
    assert write_private(path, b"same", replace=False) is False
    assert path.stat().st_ino == before.st_ino
    assert names_in(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("replace", [False, True])
def test_the_same_bytes_that_others_could_read_become_private(
    tmp_path: Path, replace: bool
) -> None:
    path = tmp_path / "a.bin"
    write_private(path, b"same")
    path.chmod(0o644)
    assert write_private(path, b"same", replace=replace) is False
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == b"same"


def test_other_bytes_of_the_same_length_are_a_conflict(tmp_path: Path) -> None:
    write_private(tmp_path / "a", b"abcd")
    assert refused(tmp_path / "a", b"abce", replace=False).code == "file-exists"


def test_a_folder_in_the_place_of_the_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert refused(tmp_path / "a").code == "file-exists"
    assert names_in(tmp_path) == ["a"]


def test_a_link_in_the_place_of_the_file_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    assert refused(tmp_path / "a", b"mine", replace=False).code == "file-exists"
    write_private(tmp_path / "a", b"new")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"mine"


def test_a_pipe_in_the_place_of_the_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    assert refused(tmp_path / "a", b"", replace=False).code == "file-exists"


@pytest.mark.parametrize("folder", ["missing", "file", "/proc/self"])
def test_a_folder_that_takes_no_files_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    error = refused(tmp_path / folder / "a.bin")
    assert error.code == "folder-not-writable"
    assert error.exit_status == 10


def test_a_folder_that_vanishes_meanwhile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    synced = os.fsync

    def sync_and_lose(descriptor: int) -> None:
        synced(descriptor)
        for leftover in folder.iterdir():
            leftover.unlink()
        folder.rmdir()

    monkeypatch.setattr(os, "fsync", sync_and_lose)
    assert refused(folder / "a.bin").code == "folder-not-writable"


def test_of_a_set_nothing_is_written_after_what_was_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"mine")
    file, other = tmp_path / "a", tmp_path / "b"
    sets = [
        [NewFile(file, b"one", replace=False)],
        [NewFile(other, b"two", replace=False), NewFile(tmp_path / "c", b"2", replace=True)],
        [],
        [NewFile(tmp_path / "none" / "d", b"three", replace=False)],
        [NewFile(file, b"one", replace=False), NewFile(tmp_path / "e", b"5", replace=True)],
    ]
    first, second, third, fourth, fifth = write_sets(sets)
    assert (first, third, fifth) == (True, False, False)
    assert isinstance(second, FileError)
    assert second.code == "file-exists"
    assert isinstance(fourth, FileError)
    assert fourth.code == "folder-not-writable"
    assert sorted(names_in(tmp_path)) == ["a", "b", "e"]
    assert other.read_bytes() == b"mine"


def test_every_file_is_on_disk_before_its_name_and_the_folder_once_after_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, link = os.fsync, os.link

    def recorded_sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def recorded_link(source: str, target: str, **how: bool) -> None:
        done.append(target)
        link(source, target, **how)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(os, "link", recorded_link)
    write_sets([[NewFile(tmp_path / name, b"data", replace=False)] for name in "abc"])
    assert done == ["file", "file", "file", "a", "b", "c", "folder"]


def test_two_writers_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            write_private(path, b"%d" % number, replace=False)
            outcomes.append("written")
        except FileError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["file-exists"] * 7 + ["written"]
    assert names_in(tmp_path) == ["a.bin"]


def test_a_full_disk_leaves_nothing_and_is_called_that(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from tui_licenses.errors import FileError; from tui_licenses.files import write_private\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_private(Path(sys.argv[1]), bytes(5000))\n"
        "except FileError as error: print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.bin")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "disk-full\n"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("replace", [True, False])
def test_a_file_system_without_hard_links_is_served_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    write_private(tmp_path / "a.bin", b"data", replace=replace)
    assert (tmp_path / "a.bin").read_bytes() == b"data"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_private_file_is_read(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"token")
    assert read_private(tmp_path / "secret") == b"token"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_can_reach_is_refused_with_the_command_that_helps(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"token")
    path.chmod(mode)
    with pytest.raises(FileError) as caught:
        read_private(path)
    assert caught.value.code == "file-not-private"
    assert f"chmod 600 {path}" in caught.value.next_step


def test_a_missing_secret_and_a_link_to_one_are_told_apart(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"token")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(FileError) as missing:
        read_private(tmp_path / "none")
    with pytest.raises(FileError) as linked:
        read_private(tmp_path / "link")
    assert (missing.value.code, linked.value.code) == ("file-not-found", "file-unreadable")


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_private(tmp_path)
