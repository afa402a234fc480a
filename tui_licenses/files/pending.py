"""One file on its way to its name."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from tui_licenses.errors import FileError
from tui_licenses.files.folder import OpenFolder, sync
from tui_licenses.files.leftovers import temporary_name
from tui_licenses.files.naming import (
    NO_HARD_LINKS,
    CannotRefuseError,
    replace_name,
    take_free_name,
)
from tui_licenses.files.refusals import exists, refusing

_PRIVATE = 0o600
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# What opening answers where there is nothing, a symbolic link or a socket.
_NO_FILE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENXIO})
# What a file system without modes answers to chmod(2), as that of most USB sticks.
_NO_MODES = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is to be written where; `replace` says that other bytes there may be replaced.

    With `keep_old` what is replaced stays beside it as `NAME.bak`, one at a time. That is for
    files a user may have put there; our own state would only leave old secrets around. With
    `is_private` others lose what they may do with the same bytes that are there already.
    """

    path: Path
    data: bytes | bytearray = field(repr=False)
    replace: bool
    keep_old: bool = False
    is_private: bool = False


class PendingFile:
    """A file that is being written beside its target and does not have its name yet.

    Its steps are to be called in their order; each raises `FileError`.
    """

    def __init__(self, folder: OpenFolder, file: NewFile) -> None:
        self._folder = folder
        self._file = file
        self._name = file.path.name
        self._temporary: str | None = None
        self._descriptor: int | None = None
        self._identity = (0, 0)
        self._took_free_name = False
        self.is_new = False

    def write(self) -> None:
        """Write the temporary file."""
        with refusing(self._file.path):
            file = self._create()
            write_all(file, self._file.data)
            self._finish(file)

    def sync(self) -> None:
        """Force the temporary file to disk and close it: both may tell that writing failed."""
        assert self._descriptor is not None
        with refusing(self._file.path):
            sync(self._descriptor)
            file, self._descriptor = self._descriptor, None
            os.close(file)

    def take_name(self) -> None:
        """Give the file its name, unless the same bytes have it already.

        Raises `FileError` (`file-exists`) too: other bytes have it and are not to be replaced.
        """
        assert self._temporary is not None
        self._folder.change_names()
        with refusing(self._file.path):
            try:
                take_free_name(self._folder.descriptor, self._temporary, self._name)
                self._took_free_name = self.is_new = True
            except (FileExistsError, CannotRefuseError) as error:
                self._take_used_name(self._temporary, error)
        self._remove_temporary()

    def settle(self) -> None:
        """Force the name to disk."""
        self._folder.settle(self._file.path)

    def check(self) -> None:
        """Read the file back by its name: a save is reported only of what is there.

        Raises `FileError`: `disk-failing`, `file-changed` where another program was quicker.
        """
        with refusing(self._file.path):
            if self._is_there():
                return
            is_ours = self._has_identity(self._name)
            if is_ours and self._took_free_name:
                os.unlink(self._name, dir_fd=self._folder.descriptor)
        if is_ours:
            raise FileError(
                "disk-failing",
                f"{self._file.path} does not read back as it was written: its disk may be failing.",
                "Save into a folder on another disk, and look into the system log.",
            )
        raise FileError(
            "file-changed",
            f"{self._file.path} was changed or removed by another program while it was saved.",
            "Look at what is there now, and save it again.",
        )

    def discard(self) -> None:
        """Remove the temporary file, if there still is one."""
        if self._descriptor is not None:
            file, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):
                os.close(file)
        self._remove_temporary()

    def _size(self) -> int:
        return len(self._file.data)

    def _holds_same(self, target: FileIO) -> bool:
        """Say whether an open file holds these very bytes; raises `OSError`."""
        return target.readall() == self._file.data

    def _create(self) -> int:
        """Create the temporary file and return it open; raises `OSError`."""
        temporary = temporary_name(self._name)
        file = os.open(temporary, _CREATE, _PRIVATE, dir_fd=self._folder.descriptor)
        self._temporary, self._descriptor = temporary, file
        with contextlib.suppress(OSError):
            # Says that it is no leftover; a file system without locks has its age for that.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def _finish(self, file: int) -> None:
        """See that all was written, and for its owner only; raises `OSError`."""
        status = os.fstat(file)
        if status.st_size != self._size():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._identity = status.st_dev, status.st_ino
        if stat.S_IMODE(status.st_mode) != _PRIVATE:
            _make_private(file)

    def _take_used_name(self, temporary: str, error: OSError) -> None:
        folder, is_taken = self._folder.descriptor, isinstance(error, FileExistsError)
        if self._has_identity(self._name):
            # A network file system may repeat a call whose answer it lost, and find its own work.
            self._took_free_name = self.is_new = True
            return
        if is_taken and self._was_there():
            return
        if not self._file.replace or self._is_folder():
            raise exists(self._file.path) if is_taken else error
        if self._file.keep_old:
            self._keep_old()
        replace_name(folder, temporary, self._name)
        self.is_new = True

    def _keep_old(self) -> None:
        """Give what is to be replaced a second name, which replaces an older `.bak` at once."""
        folder, kept = self._folder.descriptor, temporary_name(self._name)
        backup = f"{self._name}.bak"
        try:
            try:
                os.link(
                    self._name, kept, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False
                )
            except OSError as error:
                if error.errno not in NO_HARD_LINKS:
                    raise
                self._copy_old(kept)
            old = os.stat(kept, dir_fd=folder, follow_symlinks=False)
            replace_name(folder, kept, backup)
            if not os.path.samestat(old, os.stat(backup, dir_fd=folder, follow_symlinks=False)):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        finally:
            # Also after a rename that did nothing: both names were of one file already.
            with contextlib.suppress(OSError):
                os.unlink(kept, dir_fd=folder)

    def _copy_old(self, kept: str) -> None:
        folder = self._folder.descriptor
        with (
            FileIO(os.open(self._name, _READ, dir_fd=folder)) as old,
            FileIO(os.open(kept, _CREATE, _PRIVATE, dir_fd=folder), "w") as copy,
        ):
            while chunk := old.read(1024 * 1024):
                write_all(copy.fileno(), chunk)
            sync(copy.fileno())

    def _was_there(self) -> bool:
        """Say whether these very bytes had the name before; what cannot be read is not them."""
        try:
            return self._is_there()
        except OSError:
            return False

    def _is_there(self) -> bool:
        """Say whether these very bytes have the name; raises `OSError`."""
        try:
            file = os.open(self._name, _READ, dir_fd=self._folder.descriptor)
        except OSError as error:
            if error.errno in _NO_FILE:
                return False
            raise
        with FileIO(file) as target:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size != self._size():
                return False
            is_same = self._holds_same(target)
            if is_same and self._file.is_private and stat.S_IMODE(status.st_mode) != _PRIVATE:
                _make_private(file)
            return is_same

    def _has_identity(self, name: str) -> bool:
        try:
            status = os.stat(name, dir_fd=self._folder.descriptor, follow_symlinks=False)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _is_folder(self) -> bool:
        try:
            status = os.stat(self._name, dir_fd=self._folder.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(status.st_mode)

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            # What cannot be removed now is tried again at the end, and swept by a later save.
            with contextlib.suppress(OSError):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._temporary, dir_fd=self._folder.descriptor)
                self._temporary = None


def write_all(file: int, data: bytes | bytearray) -> None:
    """Write bytes to an open file; raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _make_private(file: int) -> None:
    """Set the mode that the umask spoilt; raises `OSError`."""
    try:
        os.fchmod(file, _PRIVATE)
    except OSError as error:
        if error.errno not in _NO_MODES:
            raise
