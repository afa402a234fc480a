"""Verification of documents on this host: offline, against explicitly trusted roots."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.errors import DocumentError, TuiLicensesError
from tui_licenses.files import read_regular
from tui_licenses.service import trust_store
from tui_licenses.service.folder_check import FolderReport, check_belongs, check_folder
from tui_licenses.service.license_contents import LicenseFileContents, VerifiedFile, contents_of
from tui_licenses.service.serials import highest_serial, remember_serial, remember_serials
from tui_licenses.service.trust_store import TrustedRoot

if TYPE_CHECKING:
    from tui_licenses.api.client import Client
    from tui_licenses.documents.certificate import CertificateFields
    from tui_licenses.documents.license_file import VerifiedLicenseFile
    from tui_licenses.documents.trust import Trust, TrustStore

__all__ = [
    "DownloadedLicense",
    "FolderReport",
    "LicenseFileContents",
    "TrustedRoot",
    "VerificationService",
    "VerifiedFile",
]

_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DownloadedLicense:
    """A license file and its manifest, as a cloud gave them for an instance; nothing is proven."""

    instance: Instance
    data: bytes
    manifest: bytes


class VerificationService:
    """Reads and verifies documents; only `trust_add` without a file asks a cloud.

    Errors are `DocumentError`s with the codes of docs/license-file.md, and `FileError`s for what
    cannot be read. All methods that are not coroutines block for as long as the disk takes.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        endpoint: str,
        automatic_trust: Callable[[], tuple[Trust, ...]],
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Prepare; `automatic_trust` gives what is trusted beside the stored roots."""
        self._client = client
        self._endpoint = endpoint
        self._automatic_trust = automatic_trust
        self._clock = clock
        self._following = asyncio.Lock()
        self._is_followed = False

    def inspect(self, path: Path) -> LicenseFileContents:
        """Return what a license file says; explicitly unverified.

        It is labelled a lab's where it names a signing key of a lab whose root was added; the
        embedded cloud is not opened for that.
        """
        from tui_licenses.documents.license_file import inspect_license_file, read_license_file

        inspected = inspect_license_file(read_license_file(path))
        return contents_of(inspected, is_lab=_is_lab_key(inspected.keyids[0]))

    def verify(
        self, path: Path, *, fingerprint: str | None = None, allow_rollback: bool = False
    ) -> VerifiedFile:
        """Return a license file that passed every check of docs/license-file.md.

        With `fingerprint` it must be for that host; `allow_rollback` accepts a serial below the
        highest seen, and logs it.
        """
        from tui_licenses.documents.license_file import read_license_file

        verified = self._verified(read_license_file(path), fingerprint, allow_rollback)
        contents = contents_of(verified, is_lab=verified.is_lab)
        return VerifiedFile(path, contents, verified.trust_fingerprint)

    def verify_folder(
        self, folder: Path, *, fingerprint: str | None = None, allow_rollback: bool = False
    ) -> FolderReport:
        """Check every file that the manifests of a folder list, and every license file in it."""
        return check_folder(
            folder,
            self._trust(),
            lambda data: self._verified(data, fingerprint, allow_rollback),
            self.verify_certificate_code,
        )

    def verify_certificate_code(self, text: str) -> CertificateFields:
        """Return the fields that the code on a certificate vouches for."""
        from tui_licenses.documents.certificate import verify_certificate_code

        return verify_certificate_code(text, self._trust(), now=self._clock())

    def fingerprint_of_profile(self, path: Path) -> str:
        """Return the fingerprint of the host a server profile describes."""
        from tui_licenses.documents.profile import (
            PROFILE_SIZE_MAXIMUM,
            check_activatable,
            parse_profile,
        )

        return check_activatable(parse_profile(read_regular(path, PROFILE_SIZE_MAXIMUM)))

    async def fingerprint_of_this_host(self) -> str:
        """Return the fingerprint of the host this program runs on."""
        return await asyncio.to_thread(_fingerprint_of_this_host)

    def trust_list(self) -> tuple[TrustedRoot, ...]:
        """Return the roots that are trusted here, automatic ones first."""
        automatic = tuple(
            TrustedRoot(trust.fingerprint, trust.issuer, self._endpoint, trust.is_lab, True, None)
            for trust in self._automatic_trust()
        )
        return (*automatic, *trust_store.stored_roots())

    async def trust_add(self, source: Path | None, fingerprint: str | None) -> TrustedRoot:
        """Trust the root in a file, or that of the current context's cloud.

        The fingerprint must be typed back; without it `UseError` (`fingerprint-required`) tells
        the one found. Raises `DocumentError` (`fingerprint-mismatch`).
        """
        if source is not None:
            offer = await asyncio.to_thread(trust_store.read_offer, source)
        else:
            answer = await self._client().trust()
            offer = trust_store.make_offer(
                answer.document.encode(), is_lab=answer.lab, source=self._endpoint
            )
        return await asyncio.to_thread(trust_store.add_root, offer, fingerprint)

    def trust_remove(self, fingerprint: str) -> None:
        """Stop trusting a root; an unambiguous beginning of its fingerprint is enough.

        Raises `NotFoundError` (`root-not-found`), `UseError` (`ambiguous-name`).
        """
        trust_store.remove_root(fingerprint)

    async def follow_trust(self) -> None:
        """Take over the trust documents of the cloud, once, where its root is trusted.

        A key that was revoked there must not verify anything here.
        """
        async with self._following:
            if self._is_followed:
                return
            if await asyncio.to_thread(trust_store.stored_roots):
                answer = await self._client().trust()
                documents = [text.encode() for text in (*answer.earlier, answer.document)]
                await asyncio.to_thread(trust_store.follow, documents)
            self._is_followed = True

    def check_downloads(
        self, downloads: Sequence[DownloadedLicense]
    ) -> list[LicenseFileContents | DocumentError]:
        """Check license files of the cloud; return what each holds, or why it is refused.

        Raises what `stored_trusts` does where the trusted roots are not in order.
        """
        trust = self._trust()
        checked: list[LicenseFileContents | DocumentError] = []
        seen: dict[tuple[str, str], int] = {}
        for download in downloads:
            try:
                verified = self._check_download(download, trust)
            except DocumentError as error:
                checked.append(self._explained(error))
                continue
            place = _serial_place(verified)
            seen[place] = max(verified.payload.serial, seen.get(place, 0))
            checked.append(contents_of(verified, is_lab=verified.is_lab))
        remember_serials(seen)
        return checked

    def trusts_any_root(self) -> bool:
        """Say whether anything can be verified here at all."""
        return bool(self._trust().trusts)

    def check_profile(self, instance: Instance, data: bytes, manifest: bytes) -> bool:
        """Check that a signed manifest lists the profile of an instance; say whether it is a lab's.

        Raises `DocumentError` (`digest-mismatch`, and those of a manifest).
        """
        from tui_licenses.documents.manifest import verify_manifest

        try:
            verified = verify_manifest(manifest, self._trust())
        except DocumentError as error:
            raise self._explained(error) from None
        digests = {file.sha256 for file in verified.payload.files if file.kind == "profile"}
        if verified.payload.instance != instance.id or digests != {sha256(data).hexdigest()}:
            raise _not_vouched_for("profile")
        return verified.is_lab

    def check_certificate(self, key: LicenseKey, data: bytes) -> bool:
        """Check the code in the certificate of a key; return whether it is a lab's.

        It vouches for the key, not for what the page shows. Raises `DocumentError`
        (`digest-mismatch`, and those of a certificate code).
        """
        from tui_licenses.documents.certificate import code_in_certificate

        try:
            fields = self.verify_certificate_code(code_in_certificate(data))
        except DocumentError as error:
            raise self._explained(error) from None
        if fields.key_last_four != key.key[-GROUP_LENGTH:] or fields.kind is not key.kind:
            raise _not_vouched_for("certificate")
        return fields.is_lab

    def _explained(self, error: DocumentError) -> DocumentError:
        """Return an error about a document of the cloud with the next step for that cloud."""
        if error.code == "signing-key-unknown":
            error.next_step = (
                f"Trust the root of {self._endpoint} once with `tui-licenses trust add`, "
                "after comparing its fingerprint with its operator."
            )
        return error

    def _check_download(
        self, download: DownloadedLicense, trust: TrustStore
    ) -> VerifiedLicenseFile:
        from tui_licenses.documents.manifest import verify_manifest

        instance = download.instance
        verified = self._checked(download.data, trust, instance.fingerprint, False)
        if verified.payload.instance.id != instance.id:
            raise DocumentError(
                "wrong-instance",
                "The license cloud gave the license file of another instance.",
                "Download it again; if it stays, tell whoever runs the license cloud.",
            )
        manifest = verify_manifest(download.manifest, trust)
        licenses = {file.sha256 for file in manifest.payload.files if file.kind == "license"}
        if manifest.payload.instance != instance.id or licenses != {verified.sha256}:
            raise DocumentError(
                "digest-mismatch",
                "The manifest of the license cloud lists another license file.",
                "Download it again: it may have changed a moment ago.",
            )
        check_belongs(verified, manifest, "The license file")
        return verified

    def _verified(
        self, data: bytes, fingerprint: str | None, allow_rollback: bool
    ) -> VerifiedLicenseFile:
        verified = self._checked(data, self._trust(), fingerprint, allow_rollback)
        remember_serial(*_serial_place(verified), verified.payload.serial)
        return verified

    def _checked(
        self, data: bytes, trust: TrustStore, fingerprint: str | None, allow_rollback: bool
    ) -> VerifiedLicenseFile:
        from tui_licenses.documents.license_file import check_serial, verify_license_file

        now = self._clock()
        verified = verify_license_file(data, trust, now=now, fingerprint=fingerprint)
        try:
            highest = highest_serial(*_serial_place(verified))
            check_serial(verified.payload, highest)
        except DocumentError as error:
            if not allow_rollback:
                raise
            _log.warning("Accepted all the same, as was asked for: %s", error.message)
        return verified

    def _trust(self) -> TrustStore:
        from tui_licenses.documents.trust import TrustStore

        return TrustStore((*self._automatic_trust(), *trust_store.stored_trusts()))


def _not_vouched_for(name: str) -> DocumentError:
    return DocumentError(
        "digest-mismatch",
        f"The license cloud gave a {name} that it does not vouch for.",
        "Download it again: it may have changed a moment ago.",
    )


def _serial_place(verified: VerifiedLicenseFile) -> tuple[str, str]:
    return verified.trust_fingerprint, verified.payload.instance.fingerprint


def _fingerprint_of_this_host() -> str:
    from tui_licenses.documents.host_profile import collect_host_profile
    from tui_licenses.documents.profile import check_activatable, parse_profile

    return check_activatable(parse_profile(collect_host_profile()))


def _is_lab_key(keyid: str) -> bool:
    from tui_licenses.documents.trust import TrustStore, find_vouching

    try:
        trusts = trust_store.stored_trusts()
    except TuiLicensesError:
        # Looking at a file must be possible while the trusted roots are not in order.
        return False
    trust = find_vouching(TrustStore(trusts), keyid)
    return trust is not None and trust.is_lab
