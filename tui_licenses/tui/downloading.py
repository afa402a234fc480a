"""The download of documents as the user sees it: ask where to, save, tell what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState, LicenseKey, mask_key
from tui_licenses.errors import Detail, PartialFailureError, TuiLicensesError
from tui_licenses.service.downloads import DocumentKind, DownloadOutcome, SavedFile
from tui_licenses.state.events import FileSaved, MarksCleared
from tui_licenses.text import clean
from tui_licenses.tui.guide import steps_after_download
from tui_licenses.tui.screens.download import DownloadChoice, DownloadScreen

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp

_NOUNS = {
    DocumentKind.LICENSE: "license files",
    DocumentKind.CERTIFICATE: "certificates",
    DocumentKind.PROFILE: "server profiles",
}
Subject = Instance | LicenseKey


class Downloading:
    """Saves documents for one or many subjects; the app runs it as a worker."""

    def __init__(self, app: TuiLicensesApp) -> None:
        self._app = app
        self._service = app.services.downloads

    async def save(self, kind: DocumentKind, ids: Sequence[str]) -> None:
        """Ask for the folder, save one document for each id, and tell the outcome."""
        try:
            subjects = [await self._find(kind, subject_id) for subject_id in ids]
            choice = await self._ask(kind, subjects)
            if choice is None:
                self._app.tell("Nothing was saved.")
            elif len(subjects) == 1:
                await self._save_one(kind, subjects[0], choice)
            else:
                await self._save_many(kind, subjects, choice)
        except TuiLicensesError as error:
            self._app.show_problem(error)

    async def _find(self, kind: DocumentKind, subject_id: str) -> Subject:
        inventory = self._app.store.state.inventory
        known: Sequence[Subject] = ()
        if inventory is not None:
            is_key = kind is DocumentKind.CERTIFICATE
            known = inventory.keys if is_key else inventory.instances
        for subject in known:
            if subject.id == subject_id:
                return subject
        if kind is DocumentKind.CERTIFICATE:
            return await self._app.services.inventory.show_key(subject_id)
        return await self._app.services.inventory.show_instance(subject_id)

    async def _ask(self, kind: DocumentKind, subjects: Sequence[Subject]) -> DownloadChoice | None:
        folder = self._service.default_folder()
        if len(subjects) == 1:
            name = self._name(kind, subjects[0])
            note = await self._note(kind, subjects[0])
        else:
            name = f"{len(subjects)} files"
            note = f"{len(subjects)} {_NOUNS[kind]}, each under a name of its own."
        exists = len(subjects) == 1 and (folder / name).exists()
        return await self._app.push_screen_wait(DownloadScreen(kind, name, folder, note, exists))

    def _name(self, kind: DocumentKind, subject: Subject) -> str:
        if isinstance(subject, LicenseKey):
            return self._service.certificate_name(subject)
        if kind is DocumentKind.PROFILE:
            return self._service.profile_name(subject)
        return self._service.license_file_name(subject)

    async def _note(self, kind: DocumentKind, subject: Subject) -> str:
        if isinstance(subject, LicenseKey):
            return f"Certificate of key {mask_key(subject.key)}, proof of purchase."
        if kind is DocumentKind.PROFILE:
            return f"Server profile of {subject.name}, byte for byte as it was uploaded."
        keys = await self._app.services.inventory.keys_of_instance(subject.id)
        add_ons = sum(not key.is_master and key.state is KeyState.ACTIVE for key in keys)
        return f"License file of {subject.name}: contains 1 master + {add_ons} add-ons."

    async def _save_one(self, kind: DocumentKind, subject: Subject, choice: DownloadChoice) -> None:
        file = await self._save_to(kind, subject, choice.folder, choice.force)
        self._app.store.dispatch(FileSaved(file))
        told = _saved_text(file)
        self._app.tell(told)
        if kind is DocumentKind.LICENSE:
            self._app.show_text("License file saved", "\n".join(steps_after_download(file)))

    async def _save_to(
        self, kind: DocumentKind, subject: Subject, folder: Path, force: bool
    ) -> SavedFile:
        if isinstance(subject, LicenseKey):
            return await self._service.certificate(subject, folder, force=force)
        if kind is DocumentKind.PROFILE:
            return await self._service.profile(subject, folder, force=force)
        return await self._service.license_file(subject, folder, force=force)

    async def _save_many(
        self, kind: DocumentKind, subjects: Sequence[Subject], choice: DownloadChoice
    ) -> None:
        done = 0

        def count(outcome: DownloadOutcome) -> None:
            nonlocal done
            done += 1
            if outcome.file is not None:
                self._app.store.dispatch(FileSaved(outcome.file))
            self._app.tell(f"Saved {done} of {len(subjects)} {_NOUNS[kind]}")

        outcomes = await self._service.many(
            kind, subjects, choice.folder, force=choice.force, on_outcome=count
        )
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        self._app.tell(
            f"Saved {len(outcomes) - len(failed)} of {len(outcomes)} {_NOUNS[kind]} "
            f"to {choice.folder}"
        )
        if failed:
            raise _partial_failure(failed, subjects, len(outcomes))
        self._app.store.dispatch(MarksCleared())


def _saved_text(file: SavedFile) -> str:
    """Return what was saved, the most important first: the line may be cut."""
    verb = "Saved" if file.is_new else "Already there, with the same contents:"
    contents = f", {file.contents}" if file.contents else ""
    folder = clean(str(file.path.parent))
    return f"{verb} {clean(file.path.name)}{contents}; in {folder}; sha256 {file.sha256}"


def _partial_failure(
    failed: Sequence[DownloadOutcome], subjects: Sequence[Subject], count: int
) -> PartialFailureError:
    names = {
        subject.id: mask_key(subject.key) if isinstance(subject, LicenseKey) else subject.name
        for subject in subjects
    }
    details = tuple(
        Detail(
            names[outcome.subject_id],
            outcome.error.code,
            f"{names[outcome.subject_id]}: {outcome.error.message}",
        )
        for outcome in failed
        if outcome.error is not None
    )
    return PartialFailureError(
        "partial-failure",
        f"{len(failed)} of {count} files were not saved.",
        "The marks are kept; correct the cause and press the key again.",
        details=details,
    )
