"""Files written whole or not at all, and readable by their owner only.

Everything is written to a temporary file beside its target, forced to disk, and only then given
its name; a failure or an interruption removes the temporary file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import threading
from pathlib import Path

from tui_licenses.errors import FileError

_PRIVATE_FILE_BYTES_MAXIMUM = 1024 * 1024
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What link(2) answers where the file system has no hard links.
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def write_private(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file with mode 0600, all or nothing.

    Raises `FileError`: `file-exists` (other bytes are there and `replace` is false),
    `folder-not-writable`, `disk-full`.
    """
    pending = PendingFile(path)
    try:
        pending.write(data)
        pending.commit(replace=replace)
    finally:
        pending.discard()


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


class PendingFile:
    """A file that is being written beside its target and does not have its name yet.

    Used from one thread at a time, except that `discard` may come while another thread is in
    `commit`: it then waits, and the file is either complete or gone.
    """

    def __init__(self, path: Path) -> None:
        """Open the temporary file; raises `FileError` (`folder-not-writable`, `disk-full`)."""
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        self._lock = threading.Lock()
        try:
            descriptor = os.open(
                self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._refused(error) from error
        self._stream = os.fdopen(descriptor, "w+b", buffering=0)

    def write(self, chunk: bytes) -> None:
        """Append bytes; raises `FileError` (`disk-full`, `folder-not-writable`)."""
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise self._refused(error) from error

    def contents(self) -> bytes:
        """Return what was written, read back from the file."""
        self._stream.seek(0)
        return self._stream.read()

    def commit(self, *, replace: bool) -> bool:
        """Give the file its name; return False where the same bytes already had it.

        Raises `FileError`: `file-exists` (other bytes are there and `replace` is false),
        `folder-not-writable`, `disk-full`.
        """
        with self._lock:
            try:
                os.fsync(self._stream.fileno())
                is_new = self._take_name(replace)
                self._sync_folder()
            except OSError as error:
                raise self._refused(error) from error
            finally:
                self._remove()
            return is_new

    def discard(self) -> None:
        """Remove the temporary file; does nothing once the file was committed or discarded."""
        with self._lock:
            self._remove()

    def _take_name(self, replace: bool) -> bool:
        try:
            # link(2) never replaces: a file that appears meanwhile is not overwritten.
            os.link(self._temporary, self.path)
        except FileExistsError as error:
            if self._is_same_as_target():
                return False
            if not replace or self.path.is_dir():
                raise self._exists() from error
            self._temporary.replace(self.path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # Reserve the free name; the rename then replaces only our own empty file.
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._temporary.replace(self.path)
        return True

    def _is_same_as_target(self) -> bool:
        try:
            descriptor = os.open(
                self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
            with os.fdopen(descriptor, "rb") as target:
                status = os.fstat(descriptor)
                if status.st_size != os.fstat(self._stream.fileno()).st_size:
                    return False
                return stat.S_ISREG(status.st_mode) and target.read() == self.contents()
        except OSError:
            return False

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove(self) -> None:
        if not self._stream.closed:
            self._stream.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink()

    def _exists(self) -> FileError:
        return FileError(
            "file-exists",
            f"{self.path} already exists and holds something else.",
            "Save into another folder, or replace it explicitly (`--force`).",
        )

    def _refused(self, error: OSError) -> FileError:
        if isinstance(error, FileExistsError):
            return self._exists()
        if error.errno in _DISK_FULL:
            return FileError(
                "disk-full",
                f"There is no room for {self.path.name} in {self.path.parent}.",
                "Free some space or choose another folder.",
            )
        return FileError(
            "folder-not-writable",
            f"Nothing can be saved in {self.path.parent}: {error.strerror}.",
            "Choose another folder, or check that this one exists and is yours.",
        )
