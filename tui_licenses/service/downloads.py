"""Downloads: license files, certificates and profiles, checked before they get their names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses import paths
from tui_licenses.api.client import Client
from tui_licenses.api.parts import WantedLicense
from tui_licenses.config import Settings
from tui_licenses.domain import file_names
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.errors import FileError, TuiLicensesError, UseError
from tui_licenses.files.folder import OpenFolder
from tui_licenses.files.refusals import unusable
from tui_licenses.files.room import has_room
from tui_licenses.service.bulk import BulkDownload
from tui_licenses.service.fetching import Document, fetch, received
from tui_licenses.service.outcomes import (
    BulkResult,
    DocumentKind,
    DownloadOutcome,
    SavedFile,
    Subject,
)
from tui_licenses.service.saving import Beside, Fetched, Saver, read_here

if TYPE_CHECKING:
    from tui_licenses.service.verification import VerificationService

__all__ = [
    "BulkDownload",
    "BulkResult",
    "DocumentKind",
    "DownloadOutcome",
    "DownloadService",
    "SavedFile",
    "Subject",
]

# So many that a request costs little beside them, so few that all eight find work.
_LICENSE_FILES_AT_ONCE = 20


class DownloadService:
    """Saves documents into folders; a name is taken only by complete and checked bytes.

    What is there already and still current is not fetched again. All methods that save raise
    `FileError` (`file-exists`, `folder-not-writable`, `disk-full`), `DocumentError`
    (`digest-mismatch`) and what the cloud answers.
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
        return await self._one(DocumentKind.LICENSE, instance, folder, force)

    async def certificate(self, key: LicenseKey, folder: Path, *, force: bool = False) -> SavedFile:
        """Save the certificate of a key, once its code was verified."""
        return await self._one(DocumentKind.CERTIFICATE, key, folder, force)

    async def profile(self, instance: Instance, folder: Path, *, force: bool = False) -> SavedFile:
        """Save the server profile of an instance, once a signed manifest was seen to list it."""
        return await self._one(DocumentKind.PROFILE, instance, folder, force)

    def bulk(
        self,
        kind: DocumentKind,
        subjects: Sequence[Subject],
        folder: Path,
        *,
        force: bool = False,
        on_outcome: Callable[[DownloadOutcome], None] | None = None,
    ) -> BulkDownload:
        """Prepare to save one document for each subject; `on_outcome` hears of each at once.

        Raises `UseError` (`invalid-request`) where there are no such documents at all, `FileError`
        (`folder-not-writable`, `folder-unsafe`, `disk-full`) where none can be saved.
        """
        if kind is DocumentKind.MANIFEST:
            raise UseError(
                "invalid-request",
                "A manifest is saved together with its license file.",
                "Download the license file.",
            )
        _check_folder(folder)
        is_license = kind is DocumentKind.LICENSE
        return BulkDownload(
            subjects,
            folder,
            partial(self._license_sets, folder)
            if is_license
            else partial(self._documents, kind, folder),
            Saver(self._verification, force=force).save,
            on_outcome,
            at_once=_LICENSE_FILES_AT_ONCE if is_license else 1,
        )

    async def _one(
        self, kind: DocumentKind, subject: Subject, folder: Path, force: bool
    ) -> SavedFile:
        result = await self.bulk(kind, [subject], folder, force=force).run()
        (outcome,) = result.outcomes
        if outcome.error is not None:
            raise outcome.error
        assert outcome.file is not None
        return outcome.file

    async def _documents(
        self, kind: DocumentKind, folder: Path, subjects: Sequence[Subject]
    ) -> list[Fetched]:
        """Fetch certificates or profiles, one after the other."""
        return [await self._document(kind, folder, subject) for subject in subjects]

    async def _document(self, kind: DocumentKind, folder: Path, subject: Subject) -> Fetched:
        if kind is DocumentKind.CERTIFICATE and isinstance(subject, LicenseKey):
            path = folder / self.certificate_name(subject)
            ask = partial(self._client.certificate, subject.id)
            name = subject.key[-GROUP_LENGTH:]
        elif kind is DocumentKind.PROFILE and isinstance(subject, Instance):
            path = folder / self.profile_name(subject)
            ask = partial(self._client.profile_file, subject.id)
            name = subject.name
        else:
            raise _other_subject(kind)
        (here,) = await asyncio.to_thread(read_here, [path])
        document = await fetch(ask, path, f"{kind}/{subject.id}", here)
        return Fetched(
            name, kind, path, document, label=await self._vouched(subject, path, document)
        )

    async def _vouched(self, subject: Subject, path: Path, document: Document) -> str | None:
        """Verify a certificate or profile, and return what has to be told of it.

        It proves nothing by itself, and can be read without being trusted: where no root is
        trusted at all, it is saved and labelled so.
        """
        verification = self._verification
        await verification.follow_trust()
        if not await asyncio.to_thread(verification.trusts_any_root):
            return "not verified: no root is trusted"
        if isinstance(subject, Instance):
            ask = partial(self._client.profile_manifest, subject.id)
            # It is looked at and not saved.
            beside = path.with_name(f"manifest of {path.name}")
            manifest = await fetch(ask, beside, f"profile-manifest/{subject.id}", None)
            check = partial(verification.check_profile, subject, document.data, manifest.data)
        else:
            check = partial(verification.check_certificate, subject, document.data)
        return "from a lab" if await asyncio.to_thread(check) else None

    async def _license_sets(
        self, folder: Path, subjects: Sequence[Subject]
    ) -> list[Fetched | TuiLicensesError]:
        """Fetch license files with their manifests in one request."""
        await self._verification.follow_trust()
        instances = [subject for subject in subjects if isinstance(subject, Instance)]
        if len(instances) < len(subjects):
            raise _other_subject(DocumentKind.LICENSE)
        files = [folder / self.license_file_name(each) for each in instances]
        manifests = [folder / file_names.manifest_name(each) for each in instances]
        here = await asyncio.to_thread(read_here, [*files, *manifests])
        pairs = list(zip(here[: len(files)], here[len(files) :], strict=True))
        answers = await self._client.license_sets(
            [
                WantedLicense(
                    instance.id, *(None if each is None else each.sha256 for each in pair)
                )
                for instance, pair in zip(instances, pairs, strict=True)
            ]
        )
        return [
            answer
            if isinstance(answer, TuiLicensesError)
            else Fetched(
                instance.name,
                DocumentKind.LICENSE,
                file,
                received(answer.license_file, pair[0]),
                Beside(instance, manifest, received(answer.manifest, pair[1])),
            )
            for instance, file, manifest, pair, answer in zip(
                instances, files, manifests, pairs, answers, strict=True
            )
        ]


def _other_subject(kind: DocumentKind) -> UseError:
    owner = "a key" if kind is DocumentKind.CERTIFICATE else "an instance"
    return UseError(
        "invalid-request", f"A {kind} document is for {owner}.", f"Give the id of {owner}."
    )


def _check_folder(folder: Path) -> None:
    """Refuse a folder that takes no files before anything is asked of the cloud."""
    if not paths.is_folder(folder):
        raise unusable(folder, "there is no such folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        raise unusable(
            folder, "its disk can only be read" if is_read_only else "it is not yours to write"
        )
    with OpenFolder(folder) as opened:
        is_full = not has_room(opened.descriptor)
    if is_full:
        raise FileError(
            "disk-full",
            f"There is no room for documents in {folder}.",
            "Free some space or choose another folder.",
        )
