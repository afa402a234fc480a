"""A folder of downloaded documents, checked as a whole against the signed manifests in it.

Each part may be sound and the whole still be mixed: so a license file has to be of the instance,
the serial and the cloud of its manifest, and a profile of the server that the license file is for.
"""

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
    from tui_licenses.documents.certificate import CertificateFields
    from tui_licenses.documents.license_file import VerifiedLicenseFile
    from tui_licenses.documents.manifest import ManifestFile, VerifiedManifest
    from tui_licenses.documents.trust import TrustStore

MANIFEST_ENDING = "-manifest.json"
LICENSE_ENDING = ".bin"
# What proves nothing by itself.
_UNPROVEN = {".xml": "profile", ".pdf": "certificate"}
# As large as a manifest may say that a document is.
_FILE_BYTES_MAXIMUM = 16 * 1024 * 1024

VerifyLicense = Callable[[bytes], "VerifiedLicenseFile"]
VerifyCode = Callable[[str], "CertificateFields"]


class FileCheck(StrEnum):
    """What was found for one file; `unlisted` is a document that no manifest vouches for."""

    GOOD = "good"
    CHANGED = "changed"
    MISSING = "missing"
    REFUSED = "refused"
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file of a folder: `kind` as in the manifest; `error` says why it is not good."""

    name: str
    kind: str
    check: FileCheck
    error: TuiLicensesError | None = None

    @property
    def is_wrong(self) -> bool:
        """Say whether this must not be relied on.

        A profile is downloaded only if somebody wants it; a manifest without its license file
        has lost it.
        """
        if self.check is FileCheck.MISSING:
            return self.kind == "license"
        return self.check in {FileCheck.CHANGED, FileCheck.REFUSED}


@dataclass(frozen=True, slots=True)
class FolderReport:
    """Every document that the manifests of a folder list, and the documents that none lists."""

    folder: Path
    files: tuple[CheckedFile, ...]
    is_lab: bool

    @property
    def is_good(self) -> bool:
        """Say whether nothing in the folder is wrong; what is unlisted is proven by nobody."""
        return not any(file.is_wrong for file in self.files)


def check_folder(
    folder: Path, trust: TrustStore, verify_license: VerifyLicense, verify_code: VerifyCode
) -> FolderReport:
    """Check every manifest in a folder, every document it lists, and every license file.

    Of a certificate that no manifest lists the code is verified: it says nothing of the page.

    Raises `DocumentError` (`manifest-missing`) where there is nothing to check, `FileError`
    (`file-not-found`, `file-unreadable`) where the folder cannot be read.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    check = _Check(folder, trust, verify_license, verify_code)
    files = [
        file for name in names if name.endswith(MANIFEST_ENDING) for file in check.manifest(name)
    ]
    listed = {file.name for file in files}
    files += [
        check.alone(name) for name in names if name.endswith(LICENSE_ENDING) and name not in listed
    ]
    if not files:
        raise DocumentError(
            "manifest-missing",
            f"There is no manifest and no license file in {folder}.",
            "Give the folder that license files were downloaded into.",
        )
    files += [
        check.unlisted(name)
        for name in names
        if Path(name).suffix in _UNPROVEN and name not in listed
    ]
    return FolderReport(folder, tuple(files), check.is_lab)


class _Check:
    """The check of one folder; `is_lab` tells afterwards whether a lab signed anything in it."""

    def __init__(
        self,
        folder: Path,
        trust: TrustStore,
        verify_license: VerifyLicense,
        verify_code: VerifyCode,
    ) -> None:
        self._folder = folder
        self._trust = trust
        self._verify_license = verify_license
        self._verify_code = verify_code
        self.is_lab = False

    def manifest(self, name: str) -> Iterator[CheckedFile]:
        """Check a manifest and what it lists, license files first."""
        from tui_licenses.documents.manifest import verify_manifest

        try:
            manifest = verify_manifest(self._read(name, _FILE_BYTES_MAXIMUM), self._trust)
        except TuiLicensesError as error:
            yield CheckedFile(name, "manifest", FileCheck.REFUSED, error)
            return
        self.is_lab |= manifest.is_lab
        yield CheckedFile(name, "manifest", FileCheck.GOOD)
        fingerprints: set[str] = set()
        for file in sorted(manifest.payload.files, key=lambda file: file.kind != "license"):
            yield self._listed(file, manifest, fingerprints)

    def alone(self, name: str) -> CheckedFile:
        """Check a license file that no manifest lists: it proves itself."""
        try:
            self.is_lab |= self._verify_license(self._read(name, _FILE_BYTES_MAXIMUM)).is_lab
        except TuiLicensesError as error:
            return CheckedFile(name, "license", FileCheck.REFUSED, error)
        return CheckedFile(name, "license", FileCheck.GOOD)

    def unlisted(self, name: str) -> CheckedFile:
        """Tell of a profile or certificate that no manifest lists."""
        from tui_licenses.documents.certificate import code_in_certificate

        kind = _UNPROVEN[Path(name).suffix]
        if kind == "certificate":
            try:
                code = code_in_certificate(self._read(name, _FILE_BYTES_MAXIMUM))
            except TuiLicensesError:
                # Any other document.
                code = None
            try:
                self.is_lab |= code is not None and self._verify_code(code).is_lab
            except TuiLicensesError as error:
                return CheckedFile(name, kind, FileCheck.REFUSED, error)
        return CheckedFile(name, kind, FileCheck.UNLISTED, _not_listed(name))

    def _listed(
        self, file: ManifestFile, manifest: VerifiedManifest, fingerprints: set[str]
    ) -> CheckedFile:
        try:
            data = self._read(file.name, min(file.size, _FILE_BYTES_MAXIMUM))
        except FileError as error:
            missing = error.code == "file-not-found"
            check = FileCheck.MISSING if missing else FileCheck.REFUSED
            return CheckedFile(file.name, file.kind, check, error)
        if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
            changed = _mismatch(f"{file.name} is not the document that its manifest lists.")
            return CheckedFile(file.name, file.kind, FileCheck.CHANGED, changed)
        try:
            if file.kind == "license":
                verified = self._verify_license(data)
                check_belongs(verified, manifest, file.name)
                fingerprints.add(verified.payload.instance.fingerprint)
            elif file.kind == "profile":
                _check_profile(data, fingerprints, file.name)
        except TuiLicensesError as error:
            return CheckedFile(file.name, file.kind, FileCheck.REFUSED, error)
        return CheckedFile(file.name, file.kind, FileCheck.GOOD)

    def _read(self, name: str, bytes_maximum: int) -> bytes:
        path = self._folder / name
        if path.is_symlink():
            # What it points at may be another file tomorrow.
            raise FileError(
                "file-unreadable",
                f"{name} is a symbolic link.",
                "Put the document itself into the folder.",
            )
        return read_regular(path, bytes_maximum)


def check_belongs(verified: VerifiedLicenseFile, manifest: VerifiedManifest, name: str) -> None:
    """Raise `DocumentError` (`wrong-instance`, `digest-mismatch`) for parts that do not match.

    Each of them is sound: a license file `name` and a manifest that lists its digest.
    """
    if verified.payload.instance.id != manifest.payload.instance:
        raise DocumentError(
            "wrong-instance",
            f"{name} belongs to another instance than its manifest.",
            "Download it again from the license cloud.",
        )
    if verified.payload.serial != manifest.payload.serial:
        raise _mismatch(f"{name} has another serial than its manifest says.")
    if verified.trust_fingerprint != manifest.trust_fingerprint:
        raise _mismatch(f"{name} and its manifest are signed by different license clouds.")


def _check_profile(data: bytes, fingerprints: set[str], name: str) -> None:
    """Raise `DocumentError` for a profile of another server than its license files are for."""
    from tui_licenses.documents.profile import parse_profile

    fingerprint = parse_profile(data).fingerprint
    if any(each != fingerprint for each in fingerprints):
        raise DocumentError(
            "wrong-instance",
            f"{name} is the profile of another server than the license file beside it is for.",
            "Download both again from the license cloud.",
        )


def _not_listed(name: str) -> DocumentError:
    return DocumentError(
        "not-listed",
        f"No manifest in this folder vouches for {name}.",
        "Download the license file again: its manifest lists the profile. What a certificate shows"
        " is compared with its code (`tui-licenses verify --certificate-code`).",
    )


def _mismatch(message: str) -> DocumentError:
    return DocumentError("digest-mismatch", message, "Download it again from the license cloud.")
