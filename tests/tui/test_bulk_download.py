"""The screen of a bulk download and its question, with a thousand files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.values import make_instance
from tests.tui.conftest import NOW, Dashboard, OpenDashboard
from tests.tui.test_dialogs import dialog_text
from tui_licenses.config import Configuration
from tui_licenses.errors import FileError, NotFoundError, StateError
from tui_licenses.service.downloads import (
    BulkResult,
    DocumentKind,
    DownloadOutcome,
    SavedFile,
    Subject,
)
from tui_licenses.state.bulk_progress import BulkProgress
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.bulk_download import BulkDownloadScreen
from tui_licenses.tui.screens.download import DownloadChoice, DownloadScreen
from tui_licenses.wiring import open_services

CheckFrame = Callable[[str, str], None]
COUNT = 1000
NAMES = [f"Berlin [{number}]" for number in range(COUNT)]
FOLDER = Path("/srv/licenses")


def _file(number: int, is_new: bool) -> SavedFile:
    path = FOLDER / f"berlin-{number}-license.bin"
    contents = "contains 1 master + 0 add-ons"
    return SavedFile(
        path, DocumentKind.LICENSE, 1436, "ab" * 32, is_new, NAMES[number], NOW, contents
    )


def _outcome(number: int) -> DownloadOutcome:
    subject_id = f"{number:08}"
    if number % 100 == 7:
        error = NotFoundError(
            "instance-not-found", "There is no such instance.", "Refresh the list."
        )
        return DownloadOutcome(subject_id, None, error)
    if number == 999:
        error_ = StateError(
            "not-fetched", "Not fetched: the download was stopped before.", "Again."
        )
        return DownloadOutcome(subject_id, None, error_)
    return DownloadOutcome(subject_id, _file(number, number % 2 == 0), None)


OUTCOMES = tuple(map(_outcome, range(COUNT)))


async def _open(dashboard: Dashboard, progress: BulkProgress, folder: Path) -> BulkDownloadScreen:
    """Open the screen of a download that has not begun."""
    services = open_services(Configuration())
    subjects: list[Subject] = [make_instance(id=each.subject_id) for each in OUTCOMES]
    bulk = services.downloads.bulk(DocumentKind.LICENSE, subjects, folder)
    screen = BulkDownloadScreen(
        services,
        dashboard.app.store,
        f"Download of {COUNT:,} license files to {FOLDER}",
        bulk,
        progress,
    )
    await dashboard.app.push_screen(screen)
    await dashboard.pilot.pause()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_question_progress_and_results_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
    tmp_path: Path,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        note = "1,000 license files, each under a name of its own."
        names = ["bin", *(f"berlin-{number}-license.bin" for number in range(COUNT - 1))]
        question = DownloadScreen(DocumentKind.LICENSE, names, Path("/usr"), note)
        await dashboard.app.push_screen(question)
        await dashboard.pilot.pause()
        check_frame(f"download-many-{size[0]}x{size[1]}", dialog_text(dashboard))
        await dashboard.press("escape")
        progress = BulkProgress(COUNT)
        for outcome in OUTCOMES[:417]:
            progress.count(outcome)
        screen = await _open(dashboard, progress, tmp_path)
        check_frame(f"bulk-download-{size[0]}x{size[1]}-running", dashboard.text)
        for outcome in OUTCOMES[417:]:
            progress.count(outcome)
        screen.end()
        screen.show_result(NAMES, BulkResult(OUTCOMES, None))
        await dashboard.pilot.pause()
        check_frame(f"bulk-download-{size[0]}x{size[1]}-done", dashboard.text)


async def test_failures_come_first_then_what_was_not_fetched_then_files(
    loaded_store: Store, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    async with open_dashboard(loaded_store, size=(100, 30)) as dashboard:
        screen = await _open(dashboard, BulkProgress(COUNT), tmp_path)
        screen.show_result(NAMES, BulkResult(OUTCOMES, None))
        rows = list(screen._table.rows)
        results = list(dict.fromkeys(row.result for row in rows))
        assert results == ["failed", "not fetched", "saved", "already there"]
        assert sum(row.result == "failed" for row in rows) == 10
        await dashboard.press("end")
        await dashboard.wait_for("berlin-997-license.bin", "SHA-256: abab")
        await dashboard.press("question_mark")
        await dashboard.wait_for("Keys of a bulk download")


async def test_checksums_that_could_not_be_written_are_told(
    loaded_store: Store, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    async with open_dashboard(loaded_store, size=(100, 30)) as dashboard:
        screen = await _open(dashboard, BulkProgress(COUNT), tmp_path)
        error = FileError("disk-full", "There is no room for SHA256SUMS.", "Free some.")
        screen.show_result(NAMES, BulkResult(OUTCOMES, error))
        await dashboard.wait_for("SHA256SUMS is missing: There is no room")


async def test_many_files_are_counted_in_the_folder_that_is_typed(
    loaded_store: Store, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.xml").write_bytes(b"")
    answers: list[DownloadChoice | None] = []
    async with open_dashboard(loaded_store) as dashboard:
        names = [f"{number}.xml" for number in range(5)]
        question = DownloadScreen(DocumentKind.PROFILE, names, Path("/none"), "5 files")
        dashboard.app.push_screen(question, answers.append)
        await dashboard.wait_for("There is no such folder.", gone="Replace")
        question.query_one("#folder").value = str(tmp_path)  # type: ignore[attr-defined]
        await dashboard.wait_for("Already there: 3 of 5", "[ ] Replace those files")
        await dashboard.press("up", "space", "down", "enter")
        await dashboard.wait_until(lambda: bool(answers), "the answer")
    assert answers == [DownloadChoice(tmp_path, True)]


def test_the_bar_of_a_download_fits_a_small_terminal_and_is_ascii() -> None:
    progress = BulkProgress(100_000)
    assert progress.bar == "[--------------------]   0%  0 of 100,000"
    for number in range(100_000):
        progress.count(replace(OUTCOMES[number % COUNT], subject_id=str(number)))
    assert progress.bar == "[####################] 100%  100,000 of 100,000"
    assert progress.counts == "50,000 saved, 48,900 already there, 1,100 failed"
    assert BulkProgress(0).is_done
