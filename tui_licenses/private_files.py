"""Which files may hold a secret: those that nobody but their owner can read, replace or reach."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_licenses.errors import FileError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0
_CREDENTIAL_BYTES_MAXIMUM = 4096


@contextmanager
def opened_privately(path: Path) -> Iterator[int]:
    """Open a file that holds a secret, once it is known that it is one's own and private.

    Raises `FileError` (`file-not-private`) with the command that mends it, and `OSError`.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        check_folder(path.parent, os.fstat(folder))
        _check_above(path.parent)
        # A link is not followed, and a pipe does not block.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path.name, flags, dir_fd=folder)
        try:
            _check_file(path, os.fstat(descriptor), folder)
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        os.close(folder)


def read_credential(folder: Path, name: str) -> bytes | None:
    """Return a credential that the service manager gave (systemd.exec(5)), or None.

    Its files belong to root or to the user of the service; an access list that lets that user
    read them shows as the bits of the group. No more than 4 KiB are read.

    Raises `FileError` (`file-not-private`), `OSError`.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(folder / name, flags)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_uid not in {_ROOT, os.geteuid()}
            or status.st_mode & (stat.S_IRWXO | _WRITABLE_BY_OTHERS)
        ):
            raise _refused(
                f"The credential {folder / name} could be read or changed by other users.",
                "Let the service manager give it (`LoadCredentialEncrypted=`).",
            )
        return stream.read(_CREDENTIAL_BYTES_MAXIMUM)


def check_folder(folder: Path, status: os.stat_result) -> None:
    """Refuse a folder in which others could replace files; raises `FileError`."""
    if status.st_uid not in {os.geteuid(), _ROOT}:
        raise _refused(
            f"The folder {folder} of a secret belongs to another user.",
            f"Run `chown {os.geteuid()} {_quoted(folder)}` as root.",
        )
    if is_writable_by_others(status) and not status.st_mode & stat.S_ISVTX:
        raise _refused(
            f"Other users could replace the secrets in {folder}.",
            f"Run `chmod go-w {_quoted(folder)}`.",
        )


def _check_above(folder: Path) -> None:
    """Refuse a folder that others could put another one in the place of."""
    for above in folder.resolve().parents:
        status = above.stat()
        if is_writable_by_others(status) and not status.st_mode & stat.S_ISVTX:
            raise _refused(
                f"Other users could replace the folder {folder} of a secret.",
                f"Run `chmod go-w {_quoted(above)}`.",
            )


def is_writable_by_others(status: os.stat_result) -> bool:
    """Say whether anybody but its owner and root can write to a folder.

    Many systems give each user a group of their own, and let it write whatever they make
    (`umask 002`): such a group is nobody else.
    """
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_own_group(status)


def _is_own_group(status: os.stat_result) -> bool:
    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    is_theirs = owner.pw_gid == group.gr_gid and owner.pw_name == group.gr_name
    if not is_theirs or status.st_uid == _ROOT or not {*group.gr_mem} <= {owner.pw_name}:
        return False
    # Whose first group it is, is not among its members.
    return all(
        user.pw_uid == owner.pw_uid for user in pwd.getpwall() if user.pw_gid == status.st_gid
    )


def _check_file(path: Path, status: os.stat_result, folder: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(f"{path} is no regular file.", f"Remove it: `rm -r {_quoted(path)}`.")
    if status.st_uid != os.geteuid():
        raise _refused(
            f"{path} holds a secret and belongs to another user.",
            f"Run `chown {os.geteuid()} {_quoted(path)}` as root, or make a new secret.",
        )
    if status.st_mode & _OTHERS:
        raise _refused(
            f"{path} holds a secret and other users could read it.",
            f"Run `chmod 600 {_quoted(path)}`, and make a new secret if in doubt.",
        )
    if status.st_nlink - _temporary_names(path.name, status, folder) != 1:
        raise _refused(
            f"{path} holds a secret and has a second name elsewhere (a hard link).",
            f"Find it with `find / -xdev -samefile {_quoted(path)}` and remove it.",
        )


def _temporary_names(name: str, status: os.stat_result, folder: int) -> int:
    """Count the temporary names in its folder that a file still has while, or since, it is saved.

    A save gives a file its name before it takes the temporary one away (`files`); a kill between
    the two must not lock anybody out.
    """
    if status.st_nlink == 1:
        return 0
    ours = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.part")
    return sum(
        os.path.samestat(status, os.stat(other, dir_fd=folder, follow_symlinks=False))
        for other in os.listdir(folder)
        if ours.fullmatch(other)
    )


def _refused(message: str, next_step: str) -> FileError:
    return FileError("file-not-private", message, next_step)


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
