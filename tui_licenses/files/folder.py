"""A folder that is opened once: what happens to its path meanwhile leads nowhere else."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from tui_licenses.errors import FileError
from tui_licenses.files.refusals import refused, refusing

# Some network file systems cannot force a folder or a file to disk, and say so.
_CANNOT_SYNC = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class OpenFolder:
    """A folder to save into; all names in it are relative to `descriptor`.

    Raises `FileError`: `folder-not-writable`, `folder-unsafe` where anybody may rename and
    remove what is in it.
    """

    def __init__(self, path: Path, wanted_for: Path | None = None) -> None:
        """Open a folder; what is refused is told of the file that it is wanted for."""
        wanted_for = wanted_for or path / "a file"
        self._path = path
        self._sync_error: OSError | None = None
        self._is_synced = False
        with refusing(wanted_for):
            self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with refusing(wanted_for):
                self._check()
        except FileError:
            self.close()
            raise

    def __enter__(self) -> OpenFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the folder go; what it holds is on disk already."""
        with suppress(OSError):
            os.close(self.descriptor)

    def change_names(self) -> None:
        """Remember that the names in the folder are others than those on disk."""
        self._is_synced, self._sync_error = False, None

    def settle(self, wanted_for: Path) -> None:
        """Force to disk which names the folder holds, once, and see that its path still leads here.

        Raises `FileError` for every file that asks, also where it failed for another before.
        """
        if not self._is_synced:
            self._is_synced = True
            try:
                sync(self.descriptor)
                here, there = os.fstat(self.descriptor), self._path.stat()
                if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
                    raise OSError(errno.ENOENT, "it was moved away meanwhile")
            except OSError as error:
                self._sync_error = error
        if self._sync_error is not None:
            raise refused(wanted_for, self._sync_error) from self._sync_error

    def _check(self) -> None:
        mode = os.fstat(self.descriptor).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise FileError(
                "folder-unsafe",
                f"Anybody on this host can change what is saved in {self._path}.",
                f"Choose another folder, or run `chmod o-w {self._path}`.",
            )


def sync(descriptor: int) -> None:
    """Force a file or a folder to disk, where its file system can do that; raises `OSError`."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def sync_folder(folder: Path) -> None:
    """Force to disk which names a folder holds; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[OpenFolder]:
    """Hold the lock of a folder, which several programs may change at once.

    Raises `OSError`, and `FileError` as `OpenFolder` does.
    """
    with OpenFolder(folder) as opened:
        fcntl.flock(opened.descriptor, fcntl.LOCK_EX)
        yield opened
