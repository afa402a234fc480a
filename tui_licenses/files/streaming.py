"""Writing a file that is too large to be held in memory, as carefully as any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from tui_licenses.files.folder import OpenFolder
from tui_licenses.files.leftovers import sweep_once
from tui_licenses.files.pending import NewFile, PendingFile, write_all
from tui_licenses.files.refusals import refusing

_CHUNK_BYTES = 1024 * 1024


@contextmanager
def new_private_file(path: Path) -> Iterator[StreamedFile]:
    """Give a file to add bytes to: at the end it has its name and mode 0600, or leaves no trace.

    It never replaces another. Raises `FileError` as `write_private` does.
    """
    with OpenFolder(path.parent, path) as folder:
        file = StreamedFile(folder, path)
        try:
            file.write()
            yield file
            file.sync()
            file.take_name()
            file.settle()
            file.check()
        finally:
            file.discard()
            sweep_once(folder.descriptor)


class StreamedFile(PendingFile):
    """A file that grows piece by piece; `size` and `sha256` (hex) are of what was added so far."""

    def __init__(self, folder: OpenFolder, path: Path) -> None:
        super().__init__(folder, NewFile(path, b"", replace=False, is_private=True))
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the digest of all bytes that were added."""
        return self._digest.hexdigest()

    def write(self) -> None:
        """Create the temporary file, without any bytes."""
        with refusing(self._file.path):
            self._create()

    def add(self, data: bytes) -> None:
        """Add bytes; raises `FileError`."""
        self._digest.update(data)
        self.size += len(data)
        self._waiting += data
        if len(self._waiting) >= _CHUNK_BYTES:
            self._flush()

    def sync(self) -> None:
        """Write what still waits, and force the temporary file to disk."""
        self._flush()
        assert self._descriptor is not None
        with refusing(self._file.path):
            self._finish(self._descriptor)
        super().sync()

    def _flush(self) -> None:
        assert self._descriptor is not None
        with refusing(self._file.path):
            write_all(self._descriptor, self._waiting)
        self._waiting.clear()

    def _size(self) -> int:
        return self.size

    def _holds_same(self, target: FileIO) -> bool:
        found = hashlib.sha256()
        while chunk := target.read(_CHUNK_BYTES):
            found.update(chunk)
        return found.digest() == self._digest.digest()
