"""A large download that was cut off goes on where it ended, when it is started again.

What has come is kept beside the file it is for: one line of JSON that says of what, then the
bytes. Nothing in it is believed: the digest of the whole document is the judge.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from tui_licenses.files import unreadable
from tui_licenses.files.refusals import refused
from tui_licenses.files.room import has_room

# Below this to start again costs less than to keep track.
RESUMED_FROM_BYTES = 8 * 1024 * 1024

_HEAD_BYTES_MAXIMUM = 1024
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{1,256}"')
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Promise(msgspec.Struct, frozen=True):
    """What a cloud promises a document to be: its size, SHA-256 (hex) and ETag."""

    size: int
    sha256: str
    etag: str

    @property
    def is_resumable(self) -> bool:
        """Say whether it is large, and its ETag one that stands for its very bytes."""
        return self.size >= RESUMED_FROM_BYTES and bool(_STRONG_ETAG.fullmatch(self.etag))


@dataclass
class Part:
    """The first bytes of a document on disk, held by this process alone; `offset` are here."""

    promise: Promise
    offset: int
    _stream: FileIO
    _path: Path

    def append(self, chunk: bytes) -> None:
        """Add bytes; raises `FileError`, as `disk-full`."""
        try:
            view = memoryview(chunk)
            while view:
                written = self._stream.write(view)
                self.offset += written
                view = view[written:]
        except OSError as error:
            raise refused(self._path, error) from error

    def whole(self) -> bytes:
        """Return all bytes; raises `FileError`, as `file-unreadable`."""
        try:
            self._stream.seek(-self.offset, os.SEEK_END)
            return self._stream.readall()
        except OSError as error:
            raise unreadable(self._path, error) from error

    def close(self) -> None:
        """Keep the part for the next start."""
        self._stream.close()

    def remove(self) -> None:
        """Remove the part: the document is whole, or the part is of no use."""
        with suppress(OSError):
            self._path.unlink()
        self.close()


def find_part(path: Path, identity: str) -> Part | None:
    """Return what is here of a document (`identity`) that is to be saved as `path`."""
    place = _place(path, identity)
    try:
        stream = _take(place, 0)
    except OSError:
        return None
    try:
        head = stream.read(_HEAD_BYTES_MAXIMUM)
        line, newline, _ = head.partition(b"\n")
        promise = msgspec.json.decode(line, type=Promise)
        offset = os.fstat(stream.fileno()).st_size - len(line) - len(newline)
        if newline and promise.is_resumable and 0 < offset <= promise.size:
            stream.seek(0, os.SEEK_END)
            return Part(promise, offset, stream, place)
    except (msgspec.MsgspecError, ValueError, OSError):
        pass
    Part(_NOTHING, 0, stream, place).remove()
    return None


def begin_part(path: Path, identity: str, promise: Promise) -> Part | None:
    """Start to keep a document that comes; None where it cannot be kept, which is no fault.

    Raises `FileError` (`disk-full`) where it could not be saved in the end.
    """
    place = _place(path, identity)
    try:
        if not has_room(path.parent, promise.size):
            raise refused(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if not has_room(path.parent, 2 * promise.size):
            return None
        stream = _take(place, os.O_CREAT)
    except OSError:
        return None
    try:
        stream.truncate(0)
        stream.write(msgspec.json.encode(promise) + b"\n")
    except OSError:
        Part(promise, 0, stream, place).remove()
        return None
    return Part(promise, 0, stream, place)


_NOTHING = Promise(0, "", "")


def _place(path: Path, identity: str) -> Path:
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return path.with_name(f".{path.name}.{digest[:16]}.resume")


def _take(place: Path, create: int) -> FileIO:
    """Open a part that is nobody else's and that no other process is at; raises `OSError`."""
    stream = FileIO(os.open(place, _OPEN | create, 0o600), "r+")
    try:
        status = os.fstat(stream.fileno())
        is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if not is_ours or status.st_nlink != 1:
            raise PermissionError
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise
    return stream
