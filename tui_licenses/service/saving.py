"""Fetched documents, checked and written many at a time: the part of a download that blocks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.domain.instance import Instance
from tui_licenses.errors import DocumentError, FileError, TuiLicensesError
from tui_licenses.files import NewFile, exists, read_regular, write_sets
from tui_licenses.service.fetching import DOCUMENT_BYTES_MAXIMUM, Document
from tui_licenses.service.outcomes import DocumentKind, SavedFile
from tui_licenses.service.verification import DownloadedLicense

if TYPE_CHECKING:
    from tui_licenses.service.verification import VerificationService

_REPLACE_STEP = "Save into another folder, or replace it (`download --force`)."


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs to a license file: the instance it is for, and the manifest saved beside it."""

    instance: Instance
    path: Path
    manifest: Document


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that arrived whole and waits to be checked and saved.

    `label` is what has to be told of one that was checked already.
    """

    subject: str
    kind: DocumentKind
    path: Path
    document: Document
    beside: Beside | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved document with the SHA-256 of each file that belongs to it, by name."""

    file: SavedFile
    checksums: dict[str, str]


def read_here(paths: Sequence[Path]) -> list[Document | None]:
    """Return the documents that were downloaded before, None for each that was not."""
    return [_read_here(path) for path in paths]


def _read_here(path: Path) -> Document | None:
    try:
        data = read_regular(path, DOCUMENT_BYTES_MAXIMUM)
    except FileError:
        return None
    # A larger file of that name is none of ours.
    return Document.of(data, is_here=True) if len(data) <= DOCUMENT_BYTES_MAXIMUM else None


class Saver:
    """Checks and writes documents; `force` replaces files of their names with other contents."""

    def __init__(self, verification: VerificationService, *, force: bool) -> None:
        self._verification = verification
        self._force = force

    def save(self, batch: Sequence[Fetched]) -> list[Saved | TuiLicensesError]:
        """Save documents; returns each with its checksums, or why it was not saved."""
        checked = self._check(batch)
        sets: list[list[NewFile]] = [[] for _ in batch]
        for number, (fetched, contents) in enumerate(zip(batch, checked, strict=True)):
            try:
                if not isinstance(contents, TuiLicensesError):
                    sets[number] = self._files(fetched)
            except FileError as error:
                checked[number] = error
        return [_outcome(*one) for one in zip(batch, checked, write_sets(sets), strict=True)]

    def _check(self, batch: Sequence[Fetched]) -> list[TuiLicensesError | str | None]:
        """Verify license files and their manifests; return what each document holds."""
        licenses = {
            number: DownloadedLicense(
                fetched.beside.instance,
                fetched.document.data,
                fetched.beside.manifest.data,
            )
            for number, fetched in enumerate(batch)
            if fetched.beside is not None
        }
        checked: list[TuiLicensesError | str | None] = [fetched.label for fetched in batch]
        if not licenses:
            return checked
        try:
            found = self._verification.check_downloads(tuple(licenses.values()))
        except TuiLicensesError as error:
            return [error] * len(batch)
        for number, contents in zip(licenses, found, strict=True):
            checked[number] = (
                contents if isinstance(contents, TuiLicensesError) else contents.summary
            )
        return checked

    def _files(self, fetched: Fetched) -> list[NewFile]:
        """Return what is to be written for a document: nothing that is there already.

        Raises `FileError` (`file-exists`) where a file of the user has the name of the manifest:
        before anything is written, for one is worth nothing without the other.
        """
        files = []
        if not fetched.document.is_here:
            data = fetched.document.data
            files.append(NewFile(fetched.path, data, self._force, keep_old=True))
        beside = fetched.beside
        if beside is not None and not beside.manifest.is_here:
            # An older manifest vouches for nothing any more.
            is_older = _is_manifest(beside.path)
            may_replace = self._force or is_older
            if not may_replace and os.path.lexists(beside.path):
                raise exists(beside.path)
            # After the license file.
            data = beside.manifest.data
            files.append(NewFile(beside.path, data, may_replace, keep_old=not is_older))
        return files


def _is_manifest(path: Path) -> bool:
    from tui_licenses.documents.envelope import MANIFEST, open_envelope

    try:
        open_envelope(read_regular(path, DOCUMENT_BYTES_MAXIMUM), MANIFEST)
    except (FileError, DocumentError):
        return False
    return True


def _outcome(
    fetched: Fetched, contents: TuiLicensesError | str | None, written: bool | FileError
) -> Saved | TuiLicensesError:
    for refusal in (contents, written):
        if isinstance(refusal, TuiLicensesError):
            if refusal.code == "file-exists":
                refusal.next_step = _REPLACE_STEP
            return refusal
    document = fetched.document
    checksums = {fetched.path.name: document.sha256}
    if fetched.beside is not None:
        checksums[fetched.beside.path.name] = fetched.beside.manifest.sha256
    file = SavedFile(
        fetched.path,
        fetched.kind,
        len(document.data),
        document.sha256,
        bool(written) and not document.is_here,
        fetched.subject,
        datetime.now(UTC),
        contents if isinstance(contents, str) else None,
    )
    return Saved(file, checksums)
