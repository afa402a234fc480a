"""The file of a backup: lines of JSON that no database engine has a part in, and a signed end.

The first line names the cloud, the schema and the trust documents. Each line after it is a row,
`["table", values]` in the order of the columns that the first line names; a line may hold sealed
keys. The last one, without a newline, is a DSSE envelope over the size and the digest of all
bytes before it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

import msgspec

from tui_licenses.cloud.key_box import KeyBox
from tui_licenses.documents.envelope import (
    BACKUP,
    ENVELOPE_SIZE_MAXIMUM,
    Envelope,
    open_envelope,
    seal,
)
from tui_licenses.documents.payload import (
    Integer,
    Payload,
    Sha256,
    convert_payload,
    decode_payload,
    encode_payload,
)
from tui_licenses.documents.signing import SigningKey
from tui_licenses.errors import DocumentError
from tui_licenses.files import open_regular, unreadable
from tui_licenses.files.streaming import StreamedFile

FORMAT: Literal["tui-licenses.backup"] = "tui-licenses.backup"
VERSION = 1

_CHUNK_BYTES = 1024 * 1024


class Header(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The first line; `tables` names the columns of each table, `created` is in seconds."""

    format: str
    version: int
    schema: str
    created: int
    trust: list[str]
    tables: dict[str, list[str]]


class BackupPayload(Payload, frozen=True):
    """What is signed: the size and the SHA-256 of all bytes before the envelope."""

    format: Literal["tui-licenses.backup"]
    version: Literal[1]
    size: Integer
    sha256: Sha256


class _Bytes(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    base64: bytes


_Line = list[Any] | dict[str, KeyBox]


@dataclass(frozen=True, slots=True)
class WrittenBackup:
    """What became of a backup: its whole size and digest, and how many rows are in it."""

    path: Path
    size: int
    sha256: str
    row_count: int


class BackupWriter:
    """Writes the lines of a backup, and the signature when all are there."""

    def __init__(self, file: StreamedFile, header: Header) -> None:
        self._file = file
        self.row_count = 0
        self._write(msgspec.json.encode(header))

    def add_row(self, table: str, values: list[Any]) -> None:
        """Write one row."""
        plain = [_Bytes(value) if isinstance(value, bytes) else value for value in values]
        self._write(msgspec.json.encode([table, plain]))
        self.row_count += 1

    def add_keys(self, box: KeyBox) -> None:
        """Write the sealed keys."""
        self._write(msgspec.json.encode({"keys": box}))

    def sign(self, signers: tuple[SigningKey, ...]) -> None:
        """Write the envelope, which ends the file."""
        payload = BackupPayload(
            format=FORMAT, version=1, size=self._file.size, sha256=self._file.sha256
        )
        self._file.add(seal(BACKUP, encode_payload(payload), signers))

    def _write(self, line: bytes) -> None:
        self._file.add(line + b"\n")


class BackupReader:
    """A backup whose digest is the signed one; who signed it is for the caller to judge."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._size, self.envelope = _read_end(stream)
        self.payload = convert_payload(
            decode_payload(self.envelope.payload), self.envelope.payload, BackupPayload
        )
        if (self.payload.size, self.payload.sha256) != (self._size, self._digest()):
            raise damaged("its bytes are not those that were signed")
        self.header = self._header()

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield every row with its table; raises `DocumentError` where the file changes meanwhile.

        The digest is taken again: what is read twice can change in between.
        """
        for line in self._lines():
            if isinstance(line, dict):
                continue
            match line:
                case [str(table), list(values)] if len(values) == len(
                    self.header.tables.get(table, ())
                ):
                    plain = [_plain(value) for value in values]
                    yield table, dict(zip(self.header.tables[table], plain, strict=True))
                case _:
                    raise damaged("a row is not of the form of a row")

    def keys(self) -> KeyBox | None:
        """Return the sealed keys, where there are any."""
        boxes = (line["keys"] for line in self._lines() if isinstance(line, dict))
        return next(boxes, None)

    def _lines(self) -> Iterator[_Line]:
        decoder = msgspec.json.Decoder(_Line)
        digest, size = hashlib.sha256(), 0
        self._stream.seek(0)
        first = self._stream.readline(_CHUNK_BYTES)
        digest.update(first)
        size += len(first)
        while size < self._size:
            line = self._stream.readline()
            digest.update(line)
            size += len(line)
            try:
                yield decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise damaged("a line cannot be read") from error
        if digest.hexdigest() != self.payload.sha256:
            raise damaged("it changed while it was read")

    def _digest(self) -> str:
        digest, left = hashlib.sha256(), self._size
        self._stream.seek(0)
        while left and (chunk := self._stream.read(min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        return digest.hexdigest()

    def _header(self) -> Header:
        self._stream.seek(0)
        first = self._stream.readline(_CHUNK_BYTES)
        try:
            header = msgspec.json.decode(first, type=Header)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged("its first line cannot be read") from error
        if header.format != FORMAT or header.version != VERSION or not header.trust:
            raise damaged("its first line is not that of a backup")
        return header


@contextmanager
def open_backup(path: Path) -> Iterator[BackupReader]:
    """Open a backup and check its digest.

    Raises `FileError` (`file-not-found`, `file-unreadable`) and `DocumentError`
    (`not-a-backup`, `unsupported-version`, `backup-damaged`, and those of the envelope).
    """
    try:
        with open_regular(path) as stream:
            yield BackupReader(stream)
    except OSError as error:
        raise unreadable(path, error) from error


def _read_end(stream: BufferedReader) -> tuple[int, Envelope]:
    """Return how many bytes are signed, and the envelope behind them."""
    size = stream.seek(0, os.SEEK_END)
    begin = max(0, size - ENVELOPE_SIZE_MAXIMUM)
    stream.seek(begin)
    end = stream.read(ENVELOPE_SIZE_MAXIMUM)
    place = end.rfind(b"\n") + 1
    if not place:
        raise damaged("its end is missing")
    return begin + place, open_envelope(end[place:], BACKUP)


def _plain(value: object) -> object:
    match value:
        case {"base64": str(text), **rest} if not rest:
            try:
                return msgspec.convert(value, _Bytes).base64
            except msgspec.ValidationError as error:
                raise damaged(f"{text[:20]!a} are no bytes") from error
        case None | str() | int():
            return value
    raise damaged("a value is of no kind a row has")


def damaged(reason: str) -> DocumentError:
    """Return the error for a backup that is not as it was written."""
    return DocumentError(
        "backup-damaged",
        f"The backup is damaged or forged: {reason}.",
        "Use another copy of it, or an older backup.",
    )
