"""What a download is of, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.errors import FileError, TuiLicensesError

Subject = Instance | LicenseKey


class DocumentKind(StrEnum):
    """What can be saved; a manifest is saved beside the license file it lists."""

    LICENSE = "license"
    CERTIFICATE = "certificate"
    PROFILE = "profile"
    MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A document on disk; `is_new` is false where the same bytes were already there.

    `subject` is the name of the instance or the last four characters of the key; `contents` says
    what a license file holds, counted from its verified bytes.
    """

    path: Path
    kind: DocumentKind
    size_bytes: int
    sha256: str
    is_new: bool
    subject: str
    saved_at: datetime
    contents: str | None


@dataclass(frozen=True, slots=True)
class DownloadOutcome:
    """What became of one item of a bulk download: a file or an error.

    The error is `not-fetched` where the download was stopped before this item.
    """

    subject_id: str
    file: SavedFile | None
    error: TuiLicensesError | None

    @property
    def is_fetched(self) -> bool:
        """Say whether the item was dealt with before the download was stopped."""
        return self.error is None or self.error.code != "not-fetched"


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of a bulk download: its outcomes in the order of its items.

    `checksums_error` is why `SHA256SUMS` could not be written; the files are saved all the same.
    """

    outcomes: tuple[DownloadOutcome, ...]
    checksums_error: FileError | None
