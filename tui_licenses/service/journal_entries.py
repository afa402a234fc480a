"""The journal on disk: one private file for each change whose outcome is not known yet.

A file is named for the Idempotency-Key of its change, so that no two can be confused. Its first
line is JSON; what follows is the body of the request as it was sent, because only the same bytes
count as the same request. License keys stand in it, and nothing can be sent again without them:
the file can be read by its owner only and is gone when the outcome is known.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.api.transport import IDEMPOTENCY_KEY, Request
from tui_licenses.errors import FileError
from tui_licenses.files import locked, read_private, write_private
from tui_licenses.paths import CHANGE_SUFFIX, private_folder

# An activation with a profile is the largest body there is.
_FILE_BYTES_MAXIMUM = 4 * 1024 * 1024
_DAMAGED_SUFFIX = ".damaged"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what is sent, for whom (cloud and subject), and what a user calls it."""

    key: str
    owner: str
    what: str
    begun_at: datetime
    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, request: Request, owner: str, begun_at: datetime) -> Entry:
        """Return the entry of a request that carries an Idempotency-Key."""
        headers = dict(request.headers)
        key = headers.pop(IDEMPOTENCY_KEY)
        return cls(
            key,
            owner,
            request.what,
            begun_at,
            request.method,
            request.path,
            headers,
            request.body or b"",
        )

    def request(self) -> Request:
        """Return the request, byte for byte as it was sent before."""
        return Request(
            self.method,
            self.path,
            headers={**self.headers, IDEMPOTENCY_KEY: self.key},
            body=self.body,
            what=self.what,
        )


class _Head(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    version: Literal[1]
    owner: str
    what: str
    begun_at: datetime
    method: Literal["PATCH", "POST", "PUT"]
    path: str
    headers: dict[Literal["Content-Type", "If-Match", "If-None-Match"], str]
    body_sha256: str


class DamagedEntryError(FileError):
    """A file in the journal is no entry of ours."""


class HeldEntry:
    """An entry nobody else works on while it is held; also after a crash it is let go."""

    def __init__(self, path: Path, lock: FileIO, *, was_open: bool = True) -> None:
        """Hold it; `was_open` says that the same change was noted before, and perhaps sent."""
        self._path = path
        self._lock = lock
        self.was_open = was_open

    def read(self) -> Entry:
        """Return the entry.

        Raises `DamagedEntryError` for what is none, or others could have written; `FileError`
        (`file-not-private`, `file-unreadable`) for what can be mended.
        """
        try:
            return _decoded(self._path.stem, read_private(self._path, _FILE_BYTES_MAXIMUM))
        except FileError as error:
            if not os.fstat(self._lock.fileno()).st_mode & _WRITABLE_BY_OTHERS:
                raise
            reason: Exception = error
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = error
        raise DamagedEntryError(
            "file-damaged",
            f"{self._path} is no entry of the journal of changes.",
            "See with `tui-licenses events list` what was changed last.",
        ) from reason

    def remove(self) -> None:
        """Forget the change; one that cannot be removed is only asked for once more."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def set_aside(self) -> Path:
        """Give a damaged file another name, under which nobody reads it, and return that."""
        aside = self._path.with_suffix(_DAMAGED_SUFFIX)
        with contextlib.suppress(OSError):
            self._path.rename(aside)
        return aside

    def let_go(self) -> None:
        """Let others work on it."""
        self._lock.close()


class JournalFolder:
    """The entries of one context; every method blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, entry: Entry) -> HeldEntry:
        """Write an entry to disk and hold it; one that is sent again is there already.

        Raises `FileError` (`folder-not-writable`, `disk-full`, `file-exists`).
        """
        path = private_folder(self._folder) / f"{entry.key}{CHANGE_SUFFIX}"
        head = _Head(
            1,
            entry.owner,
            entry.what,
            entry.begun_at,
            entry.method,  # type: ignore[arg-type]
            entry.path,
            entry.headers,  # type: ignore[arg-type]
            _sha256(entry.body),
        )
        data = msgspec.json.encode(head) + b"\n" + entry.body
        try:
            # Whoever looks for entries must not find this one before it is held.
            with locked(self._folder):
                was_open = path.exists()
                write_private(path, data)
                return HeldEntry(path, _locked_file(path), was_open=was_open)
        except OSError as error:
            raise FileError(
                "folder-not-writable",
                f"The change was not sent: {path} cannot be written ({error.strerror}).",
                "Every change is noted there first. Make that folder yours and writable.",
            ) from error

    def paths(self) -> list[Path]:
        """Return where entries are, oldest first."""
        try:
            found = [path for path in self._folder.iterdir() if path.suffix == CHANGE_SUFFIX]
            return sorted(found, key=lambda path: path.lstat().st_mtime)
        except OSError:
            return []

    def hold(self, path: Path) -> HeldEntry | None:
        """Hold an entry; None where another one works on it, or it is settled meanwhile."""
        try:
            with locked(self._folder):
                return HeldEntry(path, _locked_file(path, waits=False))
        except (OSError, FileError):
            return None


def _locked_file(path: Path, *, waits: bool = True) -> FileIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    file = FileIO(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        if os.fstat(descriptor).st_ino != path.lstat().st_ino:
            # Settled, and perhaps sent again, between opening and locking.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    except OSError:
        file.close()
        raise
    return file


def _decoded(key: str, data: bytes) -> Entry:
    line, _, body = data.partition(b"\n")
    head = msgspec.json.decode(line, type=_Head)
    if str(UUID(key)) != key or not head.path.startswith(f"{BASE_PATH}/licensing/"):
        raise ValueError("no change of ours")
    if head.body_sha256 != _sha256(body) or head.begun_at.tzinfo is None:
        raise ValueError("not whole")
    return Entry(
        key,
        head.owner,
        head.what,
        head.begun_at.astimezone(UTC),
        head.method,
        head.path,
        {str(name): value for name, value in head.headers.items()},
        body,
    )


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
