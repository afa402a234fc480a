"""The download of documents as the user sees it: ask where to, save, tell what was saved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.domain.license_key import KeyState, LicenseKey, mask_key
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.outcomes import DocumentKind, SavedFile, Subject
from tui_licenses.state.bulk_progress import BulkProgress
from tui_licenses.state.events import FileSaved, FilesSaved, RowsUnmarked
from tui_licenses.text import clean
from tui_licenses.tui.facts import quoted_instance
from tui_licenses.tui.guide import steps_after_download
from tui_licenses.tui.marking import settled_marks
from tui_licenses.tui.screens.bulk_download import BulkDownloadScreen
from tui_licenses.tui.screens.download import DownloadChoice, DownloadScreen

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp

_NOUNS = {
    DocumentKind.LICENSE: "license files",
    DocumentKind.CERTIFICATE: "certificates",
    DocumentKind.PROFILE: "server profiles",
}


class Downloading:
    """Saves documents for one or many subjects; the app runs it as a worker."""

    def __init__(self, app: TuiLicensesApp) -> None:
        self._app = app
        self._service = app.services.downloads

    async def save(self, kind: DocumentKind, ids: Sequence[str]) -> None:
        """Ask for the folder, save one document for each id, and tell the outcome."""
        try:
            subjects = await self._find_all(kind, ids)
            choice = await self._ask(kind, subjects)
            if choice is None:
                self._app.tell("Nothing was saved.")
            elif len(subjects) == 1:
                await self._save_one(kind, subjects[0], choice)
            else:
                await self._save_many(kind, subjects, choice)
        except TuiLicensesError as error:
            self._app.show_problem(error)

    async def _find_all(self, kind: DocumentKind, ids: Sequence[str]) -> list[Subject]:
        inventory = self._app.store.state.inventory
        is_key = kind is DocumentKind.CERTIFICATE
        known: dict[str, Subject] = {}
        if inventory is not None:
            known = {each.id: each for each in (inventory.keys if is_key else inventory.instances)}
        service = self._app.services.inventory
        show = service.show_key if is_key else service.show_instance
        return [known.get(subject_id) or await show(subject_id) for subject_id in ids]

    async def _ask(self, kind: DocumentKind, subjects: Sequence[Subject]) -> DownloadChoice | None:
        folder = self._service.default_folder()
        names = await asyncio.to_thread(lambda: [self._name(kind, each) for each in subjects])
        if len(subjects) == 1:
            note = await self._note(kind, subjects[0])
        else:
            note = f"{len(subjects):,} {_NOUNS[kind]}, each under a name of its own."
        return await self._app.push_screen_wait(DownloadScreen(kind, names, folder, note))

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
            told = "Server profile, byte for byte as it was uploaded, of this instance:"
            return f"{told}\n{quoted_instance(subject)}"
        keys = await self._app.services.inventory.keys_of_instance(subject.id)
        add_ons = sum(not key.is_master and key.state is KeyState.ACTIVE for key in keys)
        told = f"License file with 1 master + {add_ons} add-ons, for this instance:"
        return f"{told}\n{quoted_instance(subject)}"

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
        app, progress = self._app, BulkProgress(len(subjects))
        bulk = self._service.bulk(
            kind, subjects, choice.folder, force=choice.force, on_outcome=progress.count
        )
        title = f"Download of {len(subjects):,} {_NOUNS[kind]} to {choice.folder}"
        screen = BulkDownloadScreen(app.services, app.store, title, bulk, progress)
        await app.push_screen(screen)
        try:
            result = await bulk.run()
        finally:
            screen.end()
        files = tuple(outcome.file for outcome in result.outcomes if outcome.file is not None)
        missing = frozenset(each.subject_id for each in result.outcomes if each.file is None)
        app.store.dispatch(FilesSaved(files))
        app.store.dispatch(RowsUnmarked(settled_marks(app.store.state, missing)))
        screen.show_result([_shown_name(subject) for subject in subjects], result)


def _shown_name(subject: Subject) -> str:
    return mask_key(subject.key) if isinstance(subject, LicenseKey) else subject.name


def _saved_text(file: SavedFile) -> str:
    """Return what was saved, the most important first: the line may be cut."""
    verb = "Saved" if file.is_new else "Already there, with the same contents:"
    contents = f", {file.contents}" if file.contents else ""
    folder = clean(str(file.path.parent))
    return f"{verb} {clean(file.path.name)}{contents}; in {folder}; sha256 {file.sha256}"
