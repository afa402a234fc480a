"""Files written whole or not at all, and readable by their owner only.

Everything is written to a temporary file beside its target, forced to disk, and only then given
its name; a failure or an interruption removes the temporary file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from tui_licenses.errors import FileError

_PRIVATE_FILE_BYTES_MAXIMUM = 1024 * 1024
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What link(2) answers where the file system has no hard links.
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is to be written where; `replace` says that other bytes there may be replaced."""

    path: Path
    data: bytes | bytearray = field(repr=False)
    replace: bool


def write_private(path: Path, data: bytes | bytearray, *, replace: bool = True) -> bool:
    """Write a file with mode 0600, all or nothing; return False where the same bytes were there.

    Raises `FileError`: `file-exists` (other bytes are there and `replace` is false),
    `folder-not-writable`, `disk-full`.
    """
    (outcome,) = write_sets([[NewFile(path, data, replace)]])
    if isinstance(outcome, FileError):
        raise outcome
    return outcome


def write_sets(sets: Sequence[Sequence[NewFile]]) -> list[bool | FileError]:
    """Write sets of files, the files of a set in their order until one is refused.

    Returns for each set whether its first file is new (false where the same bytes were there), or
    the error that ended it, which is one of `write_private`. All files are on disk before the
    first gets its name, and the folders before this returns, once for all files in them.
    """
    pending = [[_PendingFile(file) for file in files] for files in sets]
    errors: dict[int, FileError] = {}
    try:
        for step in (_PendingFile.write, _PendingFile.sync, _PendingFile.take_name):
            for number, files in enumerate(pending):
                if number not in errors:
                    try:
                        for file in files:
                            step(file)
                    except FileError as error:
                        errors[number] = error
    finally:
        for files in pending:
            for file in files:
                file.discard()
    errors |= _sync_folders(sets)
    return [
        errors.get(number, bool(files) and files[0].is_new) for number, files in enumerate(pending)
    ]


def _sync_folders(sets: Sequence[Sequence[NewFile]]) -> dict[int, FileError]:
    """Force to disk which names the folders of sets hold; return the sets it failed for."""
    errors: dict[int, FileError] = {}
    for folder in {file.path.parent for files in sets for file in files}:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            for number, files in enumerate(sets):
                for file in files:
                    if file.path.parent == folder:
                        errors[number] = _refused(file.path, error)
    return errors


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which several programs may change at once; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_private(path: Path, bytes_maximum: int = _PRIVATE_FILE_BYTES_MAXIMUM) -> bytes:
    """Return a file that holds a secret, but no more than `bytes_maximum` of it.

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
            return stream.read(bytes_maximum)
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


class _PendingFile:
    """A file that is being written beside its target and does not have its name yet.

    Every method raises `FileError`: `folder-not-writable`, `disk-full`.
    """

    def __init__(self, file: NewFile) -> None:
        self._path = file.path
        self._data = file.data
        self._may_replace = file.replace
        self._temporary = file.path.with_name(f".{file.path.name}.{secrets.token_hex(8)}.part")
        self._stream: FileIO | None = None
        self.is_new = False

    def write(self) -> None:
        """Write the temporary file."""
        try:
            descriptor = os.open(
                self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
            self._stream = FileIO(descriptor, "w")
            view = memoryview(self._data)
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise _refused(self._path, error) from error

    def sync(self) -> None:
        """Force the temporary file to disk."""
        assert self._stream is not None
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise _refused(self._path, error) from error

    def take_name(self) -> None:
        """Give the file its name, unless the same bytes have it already.

        Raises `FileError` (`file-exists`) too: other bytes have it and are not to be replaced.
        """
        try:
            self.is_new = self._take_name()
        except OSError as error:
            raise _refused(self._path, error) from error

    def discard(self) -> None:
        """Remove the temporary file, if there still is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            with contextlib.suppress(OSError):
                self._temporary.unlink()

    def _take_name(self) -> bool:
        try:
            # link(2) never replaces: a file that appears meanwhile is not overwritten.
            os.link(self._temporary, self._path)
        except FileExistsError as error:
            if self._is_same_as_target():
                return False
            if not self._may_replace or self._path.is_dir():
                raise _exists(self._path) from error
            self._temporary.replace(self._path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # Reserve the free name; the rename then replaces only our own empty file.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._temporary.replace(self._path)
        return True

    def _is_same_as_target(self) -> bool:
        try:
            descriptor = os.open(
                self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
            with os.fdopen(descriptor, "rb") as target:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode) or status.st_size != len(self._data):
                    return False
                return target.read() == self._data
        except OSError:
            return False


def _exists(path: Path) -> FileError:
    return FileError(
        "file-exists",
        f"{path} already exists and holds something else.",
        "Save into another folder, or replace it explicitly (`--force`).",
    )


def _refused(path: Path, error: OSError) -> FileError:
    if isinstance(error, FileExistsError):
        return _exists(path)
    if error.errno in _DISK_FULL:
        return FileError(
            "disk-full",
            f"There is no room for {path.name} in {path.parent}.",
            "Free some space or choose another folder.",
        )
    return FileError(
        "folder-not-writable",
        f"Nothing can be saved in {path.parent}: {error.strerror}.",
        "Choose another folder, or check that this one exists and is yours.",
    )
