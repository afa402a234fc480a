"""A file holds a secret only where nobody else could read it, replace it or reach it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest

from tui_licenses import paths
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private
from tui_licenses.private_files import is_writable_by_others, read_credential

_NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials of mine"
    folder.mkdir(mode=0o700)
    write_private(folder / "acme.json", b"secret")
    return folder / "acme.json"


def refusal(file: Path) -> FileError:
    with pytest.raises(FileError) as caught:
        read_private(file)
    assert caught.value.code == "file-not-private"
    return caught.value


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
def test_a_folder_that_others_can_write_is_refused_with_the_command_that_mends_it(
    file: Path, mode: int
) -> None:
    file.parent.chmod(mode)
    command = refusal(file).next_step.split("`")[1]
    assert command == f"chmod go-w '{file.parent}'"
    subprocess.run(command, shell=True, check=True)
    assert read_private(file) == b"secret"


def test_a_folder_above_that_others_can_write_is_refused_with_the_command_that_mends_it(
    file: Path,
) -> None:
    above = file.parent.parent
    above.chmod(0o777)
    assert refusal(file).next_step == f"Run `chmod go-w {above}`."
    above.chmod(0o1777)
    assert read_private(file) == b"secret"


@_NEEDS_ROOT
def test_a_group_that_is_the_owners_alone_is_nobody_else(tmp_path: Path) -> None:
    entries = pwd.getpwall()
    own = next(one for one in entries if one.pw_uid and _group_of(one).gr_name == one.pw_name)
    tmp_path.chmod(0o770)
    os.chown(tmp_path, own.pw_uid, own.pw_gid)
    assert not is_writable_by_others(tmp_path.stat())
    os.chown(tmp_path, own.pw_uid, 0)
    assert is_writable_by_others(tmp_path.stat())
    os.chown(tmp_path, own.pw_uid, own.pw_gid)
    tmp_path.chmod(0o772)
    assert is_writable_by_others(tmp_path.stat())
    os.chown(tmp_path, 12345, 12345)
    tmp_path.chmod(0o770)
    assert is_writable_by_others(tmp_path.stat())


@_NEEDS_ROOT
def test_a_group_that_is_also_the_first_one_of_another_user_is_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = pwd.getpwall()
    own = next(one for one in entries if one.pw_uid and _group_of(one).gr_name == one.pw_name)
    tmp_path.chmod(0o770)
    os.chown(tmp_path, own.pw_uid, own.pw_gid)
    second = pwd.struct_passwd(("second", "x", 54321, own.pw_gid, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [*entries, second])
    assert is_writable_by_others(tmp_path.stat())


def _group_of(user: pwd.struct_passwd) -> grp.struct_group:
    return grp.getgrgid(user.pw_gid)


def test_a_sticky_folder_is_good_enough(file: Path) -> None:
    file.parent.chmod(0o1777)
    assert read_private(file) == b"secret"


def test_a_second_name_of_the_file_is_refused_and_the_way_to_find_it_told(file: Path) -> None:
    os.link(file, file.with_name("other"))
    assert f"-samefile '{file}'" in refusal(file).next_step


def test_a_save_that_was_killed_before_its_temporary_name_was_gone_locks_nobody_out(
    file: Path,
) -> None:
    os.link(file, file.with_name(f".{file.name}.{'0' * 16}.part"))
    assert read_private(file) == b"secret"
    os.link(file, file.with_name("other"))
    refusal(file)


@_NEEDS_ROOT
def test_a_file_of_another_user_is_refused_with_the_command_that_mends_it(file: Path) -> None:
    os.chown(file, 12345, -1)
    assert f"chown {os.geteuid()} '{file}'" in refusal(file).next_step
    os.chown(file, os.geteuid(), -1)
    os.chown(file.parent, 12345, -1)
    assert f"chown {os.geteuid()} '{file.parent}'" in refusal(file).next_step


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_files_and_folders_are_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    file = tmp_path / "share" / "credentials" / "acme.json"
    before = os.umask(umask)
    try:
        write_private(paths.private_folder(file.parent) / file.name, b"secret")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def test_a_credential_of_the_service_manager_may_be_readable_through_an_access_list(
    tmp_path: Path,
) -> None:
    credential = tmp_path / "token"
    credential.write_bytes(b"secret")
    # What an access list for one user looks like.
    credential.chmod(0o440)
    assert read_credential(tmp_path, "token") == b"secret"
    assert read_credential(tmp_path, "none") is None


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o402])
def test_a_credential_that_others_could_read_or_change_is_refused(
    tmp_path: Path, mode: int
) -> None:
    (tmp_path / "token").write_bytes(b"secret")
    (tmp_path / "token").chmod(mode)
    with pytest.raises(FileError) as caught:
        read_credential(tmp_path, "token")
    assert caught.value.code == "file-not-private"
