"""`SHA256SUMS` beside downloaded files, in the format of `sha256sum`, for `sha256sum -c`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tui_licenses.errors import FileError
from tui_licenses.files import locked, read_regular, unreadable, write_private

CHECKSUMS_NAME = "SHA256SUMS"

# Room for half a million entries.
_BYTES_MAXIMUM = 64 * 1024 * 1024
_ENTRY = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r"\\[\\nr]")
_UNESCAPED = {escaped: plain for plain, escaped in _ESCAPES.items()}


def update_checksums(
    folder: Path, checksums: Mapping[str, str], may_create: bool
) -> FileError | None:
    """Merge the SHA-256 of saved files, by name, into the `SHA256SUMS` of their folder.

    Entries of files that are gone are dropped, other lines stay as they are. Returns why it
    could not be written: the files themselves are saved all the same.
    """
    path = folder / CHECKSUMS_NAME
    try:
        with locked(folder) as opened:
            if not path.exists() and not may_create:
                return None
            before = _read(path)
            known = _merged(folder, before, checksums)
            if known != before:
                write_private(path, known, folder=opened)
    except FileError as error:
        return error
    except OSError as error:
        return unreadable(path, error)
    return None


def _read(path: Path) -> bytes:
    try:
        data = read_regular(path, _BYTES_MAXIMUM)
    except FileError as error:
        if error.code != "file-not-found":
            raise
        return b""
    if len(data) > _BYTES_MAXIMUM:
        raise FileError(
            "file-unreadable",
            f"{path} is far too large for a list of checksums.",
            "Move it away; the next download writes a new one.",
        )
    return data


def _merged(folder: Path, before: bytes, checksums: Mapping[str, str]) -> bytes:
    known: dict[str, str] = {}
    others: list[str] = []
    # Names of other programs may be any bytes; they come out as they went in.
    for line in before.decode("utf-8", "surrogateescape").split("\n"):
        if not line:
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            others.append(line)
            continue
        escape, digest, name = entry.groups()
        known[_unescape(name) if escape else name] = digest
    present = {file.name for file in folder.iterdir()}
    kept = {name: digest for name, digest in known.items() if "/" in name or name in present}
    lines = [*others, *(_line(*entry) for entry in sorted({**kept, **checksums}.items()))]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _line(name: str, digest: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in name)
    # A backslash before the line says that the name is escaped.
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}"


def _unescape(name: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPED[found.group()], name)
