"""Writing files: all of their bytes under their names, or what was there before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tui_licenses.errors import FileError
from tui_licenses.files.folder import OpenFolder
from tui_licenses.files.leftovers import sweep_once
from tui_licenses.files.pending import NewFile, PendingFile
from tui_licenses.files.refusals import is_passing

# All files of these are open at once, and a process may open about a thousand.
_SETS_AT_ONCE = 160


def write_private(
    path: Path,
    data: bytes | bytearray,
    *,
    replace: bool = True,
    keep_old: bool = False,
    folder: OpenFolder | None = None,
) -> bool:
    """Write a file with mode 0600, all or nothing; return False where the same bytes were there.

    With `folder` it is written there, wherever the path of that folder leads meanwhile.
    Raises `FileError`: `file-exists` (other bytes are there and `replace` is false),
    `folder-not-writable`, `folder-unsafe`, `name-too-long`, `disk-full`, `disk-failing`,
    `file-changed` (another program was quicker). None of them leaves a part of a file.
    """
    (outcome,) = write_sets([[NewFile(path, data, replace, keep_old, is_private=True)]], folder)
    if isinstance(outcome, FileError):
        raise outcome
    return outcome


def write_sets(
    sets: Sequence[Sequence[NewFile]], folder: OpenFolder | None = None
) -> list[bool | FileError]:
    """Write sets of files, the files of a set in their order until one is refused.

    Returns for each set whether its first file is new (false where the same bytes were there), or
    the error that ended it, which is one of `write_private`. All files are on disk before the
    first gets its name, and the folders before this returns, once for all files in them.
    """
    outcomes: list[bool | FileError] = []
    for start in range(0, len(sets), _SETS_AT_ONCE):
        outcomes += _write_some(sets[start : start + _SETS_AT_ONCE], folder)
    return outcomes


def _write_some(
    sets: Sequence[Sequence[NewFile]], folder: OpenFolder | None
) -> list[bool | FileError]:
    outcomes = _write_once(sets, folder)
    again = [
        number
        for number, outcome in enumerate(outcomes)
        if isinstance(outcome, FileError) and is_passing(outcome)
    ]
    if again:
        repeated = _write_once([sets[number] for number in again], folder)
        for number, outcome in zip(again, repeated, strict=True):
            outcomes[number] = outcome
    return outcomes


def _write_once(
    sets: Sequence[Sequence[NewFile]], folder: OpenFolder | None
) -> list[bool | FileError]:
    with ExitStack() as folders:
        batch = _Batch(sets, folder, folders)
        try:
            for step in (
                PendingFile.write,
                PendingFile.sync,
                PendingFile.take_name,
                PendingFile.settle,
                PendingFile.check,
            ):
                batch.take(step)
        finally:
            batch.discard()
        return batch.outcomes()


class _Batch:
    """Sets of files that go their way together."""

    def __init__(
        self, sets: Sequence[Sequence[NewFile]], folder: OpenFolder | None, folders: ExitStack
    ) -> None:
        self._given = folder
        self._open = folders
        self._folders: dict[Path, OpenFolder] = {}
        self._errors: dict[int, FileError] = {}
        self._pending: list[list[PendingFile]] = []
        for number, files in enumerate(sets):
            self._pending.append([])
            try:
                for file in files:
                    self._pending[-1].append(PendingFile(self._folder(file.path), file))
            except FileError as error:
                self._errors[number] = error

    def take(self, step: Callable[[PendingFile], None]) -> None:
        """Take one step with every file of the sets that have come so far."""
        for number, files in enumerate(self._pending):
            if number in self._errors:
                continue
            try:
                for file in files:
                    step(file)
            except FileError as error:
                self._errors[number] = error
                # At once: where a disk is full its bytes are needed.
                for file in files:
                    file.discard()

    def discard(self) -> None:
        """Remove every temporary file, and once what killed programs left in these folders."""
        for files in self._pending:
            for file in files:
                file.discard()
        for folder in self._folders.values():
            sweep_once(folder.descriptor)

    def outcomes(self) -> list[bool | FileError]:
        """Return for each set whether its first file is new, or its error."""
        return [
            self._errors.get(number, bool(files) and files[0].is_new)
            for number, files in enumerate(self._pending)
        ]

    def _folder(self, file: Path) -> OpenFolder:
        folder = self._given or self._folders.get(file.parent)
        if folder is None:
            folder = self._open.enter_context(OpenFolder(file.parent, file))
            self._folders[file.parent] = folder
        return folder
