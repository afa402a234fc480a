"""Reading files: private ones of our own, and what a user names."""

from __future__ import annotations

import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path

from tui_licenses.errors import FileError
from tui_licenses.private_files import opened_privately

_PRIVATE_FILE_BYTES_MAXIMUM = 1024 * 1024


def read_private(path: Path, bytes_maximum: int = _PRIVATE_FILE_BYTES_MAXIMUM) -> bytes:
    """Return a file that holds a secret, but no more than `bytes_maximum` of it.

    Raises `FileError`: `file-not-found`, `file-unreadable`, `file-not-private` where it is not
    its owner's alone (`private_files`).
    """
    try:
        with opened_privately(path) as descriptor:
            return FileIO(descriptor, closefd=False).read(bytes_maximum)
    except OSError as error:
        raise unreadable(path, error) from error


def read_regular(path: Path, bytes_maximum: int) -> bytes:
    """Return a file that is not secret, but at most one byte more than `bytes_maximum`.

    Raises `FileError`: `file-not-found`, `file-unreadable` (also for what is no regular file).
    """
    with open_regular(path) as stream:
        try:
            return stream.read(bytes_maximum + 1)
        except OSError as error:
            raise unreadable(path, error) from error


def open_regular(path: Path) -> BufferedReader:
    """Open a file that is not secret; raises `FileError` as `read_regular` does."""
    try:
        # A FIFO would block on opening, a device never end.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError("file-unreadable", f"{path} is not a regular file.", "Give a regular file.")
    return os.fdopen(descriptor, "rb")


def unreadable(path: Path, error: OSError) -> FileError:
    """Return the error for a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return FileError("file-not-found", f"There is no file {path}.", "Check its name.")
    return FileError(
        "file-unreadable",
        f"{path} cannot be read: {error.strerror}.",
        "Check that it is a regular file that belongs to you.",
    )
