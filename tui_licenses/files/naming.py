"""Giving a temporary file its name without ever overwriting another file."""

from __future__ import annotations

import errno
import os

# What link(2) answers where the file system has no hard links.
NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
# What renameat2(2) answers where kernel or file system cannot refuse a name that is taken.
_CANNOT_REFUSE = frozenset({errno.EINVAL, errno.ENOSYS})
_RENAME_NOREPLACE = 1


class CannotRefuseError(OSError):
    """The file system has no way to give a name only where it is free."""


def take_free_name(folder: int, temporary: str, name: str) -> None:
    """Give a temporary file in a folder (a descriptor) its name.

    It may keep its temporary name too. Raises `FileExistsError` where the name is taken,
    `CannotRefuseError`, and other `OSError`.
    """
    try:
        # link(2) never replaces: a file that appears meanwhile is not overwritten.
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        _rename_to_free_name(folder, temporary, name)


def _rename_to_free_name(folder: int, temporary: str, name: str) -> None:
    import ctypes

    # Python has no call for it; glibc has since 2.28.
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        number = errno.ENOSYS
    elif not renameat2(
        folder, os.fsencode(temporary), folder, os.fsencode(name), _RENAME_NOREPLACE
    ):
        return
    else:
        number = ctypes.get_errno()
    if number in _CANNOT_REFUSE:
        raise CannotRefuseError(number, "its file system cannot protect files from being replaced")
    raise OSError(number, os.strerror(number))


def replace_name(folder: int, temporary: str, name: str) -> None:
    """Give a temporary file a name that another file may have, which loses it at that moment."""
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
