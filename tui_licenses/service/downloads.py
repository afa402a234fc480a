"""Downloads: license files, certificates and profiles, checked before they get their names."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.api.answers import error_of
from tui_licenses.api.client import Client
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.transport import StreamedAnswer
from tui_licenses.config import Settings
from tui_licenses.domain import file_names
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.errors import DocumentError, StateError, TuiLicensesError, UseError
from tui_licenses.files import PendingFile

if TYPE_CHECKING:
    from tui_licenses.service.verification import VerificationService

# Enough to hide the latency of a far cloud; more would only queue up there.
IN_FLIGHT_MAXIMUM = 8
_OK = 200
# A certificate with its font is far below; nothing that is asked for is larger.
_FILE_BYTES_MAXIMUM = 16 * 1024 * 1024
_DIGEST_PREFIX = "sha-256=:"

# Cheap for the cloud; certificates would each have to be drawn first.
_MANIFEST_KINDS = ("license", "profile")

Download = AbstractAsyncContextManager[StreamedAnswer]


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
    """What became of one item of a bulk download: a file or an error."""

    subject_id: str
    file: SavedFile | None
    error: TuiLicensesError | None


class DownloadService:
    """Saves documents into folders; a name is taken only by complete and checked bytes.

    All methods that save raise `FileError` (`file-exists`, `folder-not-writable`, `disk-full`),
    `DocumentError` (`digest-mismatch`) and what the cloud answers.
    """

    def __init__(
        self, client: Client, verification: VerificationService, settings: Settings
    ) -> None:
        self._client = client
        self._verification = verification
        self._settings = settings

    def default_folder(self) -> Path:
        """Return the folder of the settings, or the current one."""
        return self._settings.download_folder or Path.cwd()

    def license_file_name(self, instance: Instance) -> str:
        """Return the name under which a license file is saved."""
        return file_names.license_file_name(instance)

    def certificate_name(self, key: LicenseKey) -> str:
        """Return the name under which a certificate is saved."""
        return file_names.certificate_name(key)

    def profile_name(self, instance: Instance) -> str:
        """Return the name under which a server profile is saved."""
        return file_names.profile_name(instance)

    async def license_file(
        self, instance: Instance, folder: Path, *, force: bool = False
    ) -> SavedFile:
        """Save the verified license file of an instance, and its signed manifest beside it.

        Raises the errors of docs/license-file.md too, among them `signing-key-unknown` for a
        cloud whose root is not trusted here.
        """
        verification = self._verification
        pending = PendingFile(folder / self.license_file_name(instance))
        try:
            await verification.follow_trust()
            sha256, size = await _receive(self._client.license_file(instance.id), pending)
            contents = await asyncio.to_thread(
                verification.check_download, pending.contents(), instance
            )
            manifest = await self._client.manifest(instance.id, _MANIFEST_KINDS)
            await asyncio.to_thread(verification.check_manifest, manifest, instance, sha256)
            is_new = await _commit_both(
                pending, folder / file_names.manifest_name(instance), manifest, force
            )
        finally:
            pending.discard()
        return SavedFile(
            pending.path,
            DocumentKind.LICENSE,
            size,
            sha256,
            is_new,
            instance.name,
            datetime.now(UTC),
            contents.summary,
        )

    async def certificate(self, key: LicenseKey, folder: Path, *, force: bool = False) -> SavedFile:
        """Save the certificate of a key."""
        return await self._save(
            self._client.certificate(key.id),
            folder / self.certificate_name(key),
            DocumentKind.CERTIFICATE,
            key.key[-GROUP_LENGTH:],
            force,
        )

    async def profile(self, instance: Instance, folder: Path, *, force: bool = False) -> SavedFile:
        """Save the server profile of an instance."""
        return await self._save(
            self._client.profile_file(instance.id),
            folder / self.profile_name(instance),
            DocumentKind.PROFILE,
            instance.name,
            force,
        )

    async def many(
        self,
        kind: DocumentKind,
        subjects: Sequence[Instance | LicenseKey],
        folder: Path,
        *,
        force: bool = False,
        on_outcome: Callable[[DownloadOutcome], None] | None = None,
    ) -> tuple[DownloadOutcome, ...]:
        """Save one document for each subject, a few at a time; outcomes are in their order.

        An error of one item never stops the others. Raises `UseError` (`invalid-request`) where
        there are no such documents at all.
        """
        if kind is DocumentKind.MANIFEST:
            raise UseError(
                "invalid-request",
                "A manifest is saved together with its license file.",
                "Download the license file.",
            )
        places = asyncio.Semaphore(IN_FLIGHT_MAXIMUM)

        async def save(subject: Instance | LicenseKey) -> DownloadOutcome:
            async with places:
                try:
                    file = await self._one(kind, subject, folder, force)
                    outcome = DownloadOutcome(subject.id, file, None)
                except TuiLicensesError as error:
                    outcome = DownloadOutcome(subject.id, None, error)
            if on_outcome is not None:
                on_outcome(outcome)
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(save(subject)) for subject in subjects]
        return tuple(task.result() for task in tasks)

    async def _one(
        self, kind: DocumentKind, subject: Instance | LicenseKey, folder: Path, force: bool
    ) -> SavedFile:
        if kind is DocumentKind.CERTIFICATE:
            if isinstance(subject, Instance):
                raise UseError(
                    "invalid-request",
                    "A certificate is for a key, not for an instance.",
                    "Name the keys.",
                )
            return await self.certificate(subject, folder, force=force)
        if isinstance(subject, LicenseKey):
            if subject.instance_id is None:
                raise StateError(
                    "no-master",
                    "This key is not assigned to an instance.",
                    "Activate it first.",
                )
            subject = await self._client.show_instance(subject.instance_id)
        if kind is DocumentKind.LICENSE:
            return await self.license_file(subject, folder, force=force)
        return await self.profile(subject, folder, force=force)

    async def _save(
        self, download: Download, path: Path, kind: DocumentKind, subject: str, force: bool
    ) -> SavedFile:
        pending = PendingFile(path)
        try:
            sha256, size = await _receive(download, pending)
            is_new = await asyncio.to_thread(pending.commit, replace=force)
        finally:
            pending.discard()
        return SavedFile(path, kind, size, sha256, is_new, subject, datetime.now(UTC), None)


async def _commit_both(
    pending: PendingFile, manifest_path: Path, manifest: bytes, force: bool
) -> bool:
    """Give a license file and its manifest their names, the manifest only after the file."""
    pending_manifest = PendingFile(manifest_path)
    try:
        pending_manifest.write(manifest)
        is_new = await asyncio.to_thread(pending.commit, replace=force)
        # An older manifest lists an older license file: it vouches for nothing any more.
        await asyncio.to_thread(pending_manifest.commit, replace=True)
    finally:
        pending_manifest.discard()
    return is_new


async def _receive(download: Download, pending: PendingFile) -> tuple[str, int]:
    """Write a download into a pending file; returns its SHA-256 (hex) and size, both checked."""
    digest = hashlib.sha256()
    size = 0
    async with download as answer:
        if answer.status != _OK:
            raise error_of(await answer.whole())
        expected_size, expected_digest = _promised(answer)
        async for chunk in answer.chunks:
            size += len(chunk)
            if size > expected_size:
                break
            digest.update(chunk)
            pending.write(chunk)
    if size != expected_size or digest.digest() != expected_digest:
        raise DocumentError(
            "digest-mismatch",
            f"{pending.path.name} did not arrive as it was sent.",
            "Download it again; if it stays, something on the way changes downloads.",
        )
    return digest.hexdigest(), size


def _promised(answer: StreamedAnswer) -> tuple[int, bytes]:
    """Return the size and SHA-256 that the headers of a download promise (RFC 9530)."""
    size = answer.headers.get("content-length", "")
    digests = [part.strip() for part in answer.headers.get("repr-digest", "").split(",")]
    found = [part for part in digests if part.startswith(_DIGEST_PREFIX) and part.endswith(":")]
    if not (size.isascii() and size.isdigit()) or len(found) != 1:
        raise unexpected_answer("The download came without its size or digest.")
    if int(size[:12]) > _FILE_BYTES_MAXIMUM:
        raise unexpected_answer("The download is larger than any document can be.")
    try:
        return int(size), base64.b64decode(found[0][len(_DIGEST_PREFIX) : -1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise unexpected_answer("The digest of the download cannot be read.") from error
