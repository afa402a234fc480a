"""A folder of downloaded documents, checked as a whole against the signed manifests in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.errors import DocumentError, FileError, TuiLicensesError
from tui_licenses.files import read_regular, unreadable

if TYPE_CHECKING:
    from tui_licenses.documents.license_file import VerifiedLicenseFile
    from tui_licenses.documents.manifest import ManifestFile, VerifiedManifest
    from tui_licenses.documents.trust import TrustStore

MANIFEST_ENDING = "-manifest.json"
LICENSE_ENDING = "-license.bin"
# As large as a manifest may say that a document is.
_FILE_BYTES_MAXIMUM = 16 * 1024 * 1024

VerifyLicense = Callable[[bytes], "VerifiedLicenseFile"]


class FileCheck(StrEnum):
    """What was found for one file."""

    GOOD = "good"
    CHANGED = "changed"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file of a folder: `kind` as in the manifest; `error` says why it is not good."""

    name: str
    kind: str
    check: FileCheck
    error: TuiLicensesError | None


@dataclass(frozen=True, slots=True)
class FolderReport:
    """Every document that the manifests of a folder list, and license files that none lists."""

    folder: Path
    files: tuple[CheckedFile, ...]
    is_lab: bool

    @property
    def is_good(self) -> bool:
        """Say whether nothing in the folder was changed or refused; missing is not wrong."""
        return all(file.check in {FileCheck.GOOD, FileCheck.MISSING} for file in self.files)


def check_folder(folder: Path, trust: TrustStore, verify_license: VerifyLicense) -> FolderReport:
    """Check every manifest in a folder, every document it lists, and every license file.

    Raises `DocumentError` (`manifest-missing`) where there is nothing to check, `FileError`
    (`file-not-found`, `file-unreadable`) where the folder cannot be read.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    checked: list[CheckedFile] = []
    labels: list[bool] = []
    for name in names:
        if name.endswith(MANIFEST_ENDING):
            checked.extend(_check_manifest(folder, name, trust, verify_license, labels))
    listed = {file.name for file in checked}
    checked += [
        _check_alone(folder, name, verify_license, labels)
        for name in names
        if name.endswith(LICENSE_ENDING) and name not in listed
    ]
    if not checked:
        raise DocumentError(
            "manifest-missing",
            f"There is no manifest and no license file in {folder}.",
            "Give the folder that license files were downloaded into.",
        )
    return FolderReport(folder, tuple(checked), any(labels))


def _check_manifest(
    folder: Path,
    name: str,
    trust: TrustStore,
    verify_license: VerifyLicense,
    labels: list[bool],
) -> Iterator[CheckedFile]:
    from tui_licenses.documents.manifest import verify_manifest

    try:
        manifest = verify_manifest(read_regular(folder / name, _FILE_BYTES_MAXIMUM), trust)
    except TuiLicensesError as error:
        yield CheckedFile(name, "manifest", FileCheck.REFUSED, error)
        return
    labels.append(manifest.is_lab)
    yield CheckedFile(name, "manifest", FileCheck.GOOD, None)
    for file in manifest.payload.files:
        yield _check_listed(folder, file, manifest, verify_license)


def _check_listed(
    folder: Path, file: ManifestFile, manifest: VerifiedManifest, verify_license: VerifyLicense
) -> CheckedFile:
    try:
        data = read_regular(folder / file.name, _FILE_BYTES_MAXIMUM)
    except FileError as error:
        missing = error.code == "file-not-found"
        check = FileCheck.MISSING if missing else FileCheck.REFUSED
        return CheckedFile(file.name, file.kind, check, error)
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
        changed = DocumentError(
            "digest-mismatch",
            f"{file.name} is not the document that its manifest lists.",
            "Download it again from the license cloud.",
        )
        return CheckedFile(file.name, file.kind, FileCheck.CHANGED, changed)
    if file.kind == "license":
        try:
            verified = verify_license(data)
        except TuiLicensesError as error:
            return CheckedFile(file.name, file.kind, FileCheck.REFUSED, error)
        if verified.payload.instance.id != manifest.payload.instance:
            strange = DocumentError(
                "wrong-instance",
                f"{file.name} belongs to another instance than its manifest.",
                "Download it again from the license cloud.",
            )
            return CheckedFile(file.name, file.kind, FileCheck.REFUSED, strange)
    return CheckedFile(file.name, file.kind, FileCheck.GOOD, None)


def _check_alone(
    folder: Path, name: str, verify_license: VerifyLicense, labels: list[bool]
) -> CheckedFile:
    try:
        labels.append(verify_license(read_regular(folder / name, _FILE_BYTES_MAXIMUM)).is_lab)
    except TuiLicensesError as error:
        return CheckedFile(name, "license", FileCheck.REFUSED, error)
    return CheckedFile(name, "license", FileCheck.GOOD, None)
