"""The local copy: the inventory of a context as it was last seen, in one private file.

It makes a start instant, and one without the cloud possible. It only ever saves asking: whatever
is wrong with it, it is discarded and the cloud is asked for everything.

The file is a line that names format and version, and then chunks: length, CRC-32, bytes. First
whose inventory it is, then the first rows as tables of their own, so that they are read without
the rest, then all. The file's modification time is when the inventory was last found current.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tui_licenses import paths
from tui_licenses.domain.account import Account, LicensesTab, Role, User
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.domain.inventory import Inventory, group_places
from tui_licenses.domain.key_table import KeyTable
from tui_licenses.domain.packed import Damaged, Read, TextColumn, Write
from tui_licenses.files import write_private

_log = logging.getLogger(__name__)

_MAGIC = b"tui-licenses local copy 1\n"
_CHUNK = struct.Struct("<QI")
# A terminal of 200 lines is filled by these.
_FIRST_INSTANCES = 100
_FIRST_KEYS = 500


class LocalCopy:
    """Reads and writes the copy of one owner: a cloud and who is signed in to it.

    Without a file there is no copy, and none is made.
    """

    def __init__(self, file: Path | None, owner: str) -> None:
        self._file = file
        self._owner = owner

    def read_first(self) -> Inventory | None:
        """Return the first rows (its `cursor` is None), or None where there is no copy."""
        return self._read(_OpenCopy.first)

    def read(self) -> Inventory | None:
        """Return the whole inventory, or None where there is no copy."""
        return self._read(_OpenCopy.whole)

    def _read(self, take: Callable[[_OpenCopy], Inventory]) -> Inventory | None:
        """Read from the copy; one that is damaged, or somebody else's, is discarded."""
        if self._file is None:
            return None
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            try:
                return take(_OpenCopy(stream, self._owner))
            except (Damaged, OSError, ValueError, OverflowError, IndexError) as error:
                _log.warning("The local copy is discarded: %s", type(error).__name__)
                forget_copy(self._file)
        return None

    def write(self, inventory: Inventory) -> None:
        """Keep an inventory that is complete; raises `FileError`."""
        if self._file is None:
            return
        paths.private_folder(self._file.parent)
        data = bytearray(_MAGIC)

        def write(chunk: bytes) -> None:
            data.extend(_CHUNK.pack(len(chunk), zlib.crc32(chunk)))
            data.extend(chunk)

        _write_texts(write, _header(self._owner, inventory))
        instances, keys = _first_rows(inventory)
        instances.write(write)
        keys.write(write)
        inventory.instances.write(write)
        inventory.keys.write(write)
        write_private(self._file, data)
        self.touch(inventory.fetched_at)

    def touch(self, fetched_at: datetime) -> None:
        """Remember when the inventory was last found current."""
        nanoseconds = int(fetched_at.timestamp()) * 1_000_000_000
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.utime(self._file, ns=(nanoseconds, nanoseconds), follow_symlinks=False)

    def forget(self) -> None:
        """Remove the copy."""
        if self._file is not None:
            forget_copy(self._file)


def forget_copy(file: Path) -> None:
    """Remove a copy, if there is one, and the picture that was made of it."""
    for path in (file, paths.picture_file(file)):
        with contextlib.suppress(OSError):
            path.unlink()


class _OpenCopy:
    """A copy that is being read; raises `Damaged` for what is not as it was written."""

    def __init__(self, stream: BinaryIO, owner: str) -> None:
        self._stream = stream
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Damaged
        self._left = status.st_size
        self._fetched_at = datetime.fromtimestamp(int(status.st_mtime), UTC)
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise Damaged
        texts = _read_texts(self._chunk)
        if len(texts) != len(_HEADER) or texts[0] != owner:
            raise Damaged
        self._header = dict(zip(_HEADER, texts, strict=True))

    def first(self) -> Inventory:
        """Return the first rows."""
        return self._tables(None)

    def whole(self) -> Inventory:
        """Return everything, which stands behind the first rows."""
        self.first()
        return self._tables(self._header["cursor"])

    def _tables(self, cursor: str | None) -> Inventory:
        instances, keys = InstanceTable.read(self._chunk), KeyTable.read(self._chunk)
        total = int(self._header["total"] or 0)
        return Inventory(_user(self._header), instances, keys, self._fetched_at, cursor, total)

    def _chunk(self) -> bytes:
        head = self._stream.read(_CHUNK.size)
        if len(head) != _CHUNK.size:
            raise Damaged
        size, checksum = _CHUNK.unpack(head)
        if size > self._left:
            raise Damaged
        chunk = self._stream.read(size)
        if len(chunk) != size or zlib.crc32(chunk) != checksum:
            raise Damaged
        return chunk


def _first_rows(inventory: Inventory) -> tuple[InstanceTable, KeyTable]:
    instances = min(_FIRST_INSTANCES, len(inventory.instances))
    groups = group_places(inventory.instances, inventory.keys)
    keys = 0
    while keys < min(_FIRST_KEYS, len(groups)) and groups[keys] < instances:
        keys += 1
    return inventory.instances.picked(range(instances)), inventory.keys.picked(range(keys))


_HEADER = (
    "owner",
    "cursor",
    "total",
    "user",
    "email",
    "display name",
    "role",
    "account",
    "account name",
    "plan",
    "plan starts",
    "plan ends",
    "reason",
    "support contact",
)


def _header(owner: str, inventory: Inventory) -> tuple[str | None, ...]:
    user = inventory.user
    account, tab = user.account, user.account.licenses_tab
    return (
        owner,
        inventory.cursor,
        str(len(inventory.instances) + len(inventory.keys)),
        user.id,
        user.email,
        user.display_name,
        user.role,
        account.id,
        account.name,
        account.plan,
        _instant_text(account.plan_starts_at),
        _instant_text(account.plan_ends_at),
        tab.reason,
        tab.support_contact,
    )


def _instant_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _user(header: dict[str, str | None]) -> User:
    def text(name: str) -> str:
        return header[name] or ""

    def instant(name: str) -> datetime | None:
        return None if header[name] is None else datetime.fromisoformat(text(name))

    # Only who has the tab has an inventory to copy.
    tab = LicensesTab(True, header["reason"], header["support contact"])
    account = Account(
        text("account"),
        text("account name"),
        text("plan"),
        instant("plan starts"),
        instant("plan ends"),
        tab,
    )
    role = Role(text("role"))
    return User(text("user"), header["email"], text("display name"), role, account)


def _write_texts(write: Write, texts: tuple[str | None, ...]) -> None:
    column = TextColumn()
    for text in texts:
        column.append(text)
    column.write(write, len(texts))


def _read_texts(read: Read) -> tuple[str | None, ...]:
    column = TextColumn()
    column.read(read)
    return tuple(map(column.__getitem__, range(len(column))))
