"""Reading files: private ones of our own, and what a user names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tui_licenses.errors import FileError

_PRIVATE_FILE_BYTES_MAXIMUM = 1024 * 1024


def read_private(path: Path) -> bytes:
    """Return a file that holds a secret.

    Raises `FileError`: `file-not-found`, `file-unreadable`, `file-not-private` where anybody but
    its owner may read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise FileError(
                    "file-not-private",
                    f"{path} holds a secret and other users could read it.",
                    f"Run `chmod 600 {path}`, and make a new secret if in doubt.",
                )
            return stream.read(_PRIVATE_FILE_BYTES_MAXIMUM)
    except OSError as error:
        raise unreadable(path, error) from error


def read_regular(path: Path, bytes_maximum: int) -> bytes:
    """Return a file that is not secret, but at most one byte more than `bytes_maximum`.

    Raises `FileError`: `file-not-found`, `file-unreadable` (also for what is no regular file).
    """
    try:
        # A FIFO would block on opening, a device never end.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileError(
                    "file-unreadable", f"{path} is not a regular file.", "Give a regular file."
                )
            return stream.read(bytes_maximum + 1)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> FileError:
    """Return the error for a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return FileError("file-not-found", f"There is no file {path}.", "Check its name.")
    return FileError(
        "file-unreadable",
        f"{path} cannot be read: {error.strerror}.",
        "Check that it is a regular file that belongs to you.",
    )
