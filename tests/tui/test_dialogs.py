"""The small questions: where to save, whose change to keep, whether to drop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input

from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.service.downloads import DocumentKind
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.confirm import ConfirmScreen
from tui_licenses.tui.screens.conflict import ConflictScreen
from tui_licenses.tui.screens.download import DownloadChoice, DownloadScreen

CheckFrame = Callable[[str, str], None]
NAME = "berlin-11111111-license.bin"
_NOTHING = object()


class _Answer:
    """What a dialog was dismissed with."""

    def __init__(self) -> None:
        self.value: object = _NOTHING

    def take(self, value: object) -> None:
        self.value = value

    @property
    def is_given(self) -> bool:
        return self.value is not _NOTHING


def dialog_text(dashboard: Dashboard) -> str:
    """Return the dialog alone: what lies below it has frames of its own."""
    region = dashboard.app.screen.query_one("#dialog").region
    lines = dashboard.text.splitlines()[region.y : region.bottom]
    return "\n".join(line[region.x : region.right] for line in lines)


async def _ask(dashboard: Dashboard, dialog: Screen[Any]) -> _Answer:
    answer = _Answer()
    dashboard.app.push_screen(dialog, answer.take)
    await dashboard.pilot.pause()
    return answer


def _download(folder: Path, name: str = NAME) -> DownloadScreen:
    return DownloadScreen(DocumentKind.LICENSE, [name], folder, "contains 1 master + 3 add-ons [x]")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_dialogs_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        dialogs: dict[str, Screen[Any]] = {
            "download": _download(Path("/usr"), "bin"),
            "conflict": ConflictScreen("name", "Berlin Nord", "Berlin [Süd]"),
            "confirm": ConfirmScreen("Drop the queue of 2 keys?", "Keep it", "Drop it"),
        }
        for name, dialog in dialogs.items():
            await _ask(dashboard, dialog)
            check_frame(f"{name}-{size[0]}x{size[1]}", dialog_text(dashboard))
            await dashboard.press("escape")


async def test_the_whole_path_is_shown_and_follows_the_folder_that_is_typed(
    loaded_store: Store, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answer = await _ask(dashboard, _download(Path("/")))
        await dashboard.wait_for(f"/{NAME}", "contains 1 master + 3 add-ons [x]")
        folder = dashboard.app.screen.query_one("#folder", Input)
        folder.value = str(tmp_path)
        await dashboard.wait_for(str(tmp_path)[-20:])
        folder.focus()
        await dashboard.press("enter")
        assert answer.value == DownloadChoice(tmp_path, False)


@pytest.mark.parametrize("surplus", range(1, 8))
async def test_the_name_of_a_file_is_never_torn_by_the_length_of_its_folder(
    surplus: int, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        width = 72
        folder = Path("/" + "f" * (width - len(NAME) + surplus))
        await _ask(dashboard, _download(folder))
        await dashboard.wait_for(NAME)


async def test_a_folder_that_no_folder_can_be_called_is_none(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _ask(dashboard, _download(Path("/a\0b")))
        await dashboard.wait_for("There is no such folder.", "‹U+0000›")


async def test_a_folder_that_does_not_exist_is_not_taken(
    loaded_store: Store, open_dashboard: OpenDashboard, home: Path
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answer = await _ask(dashboard, _download(Path("/")))
        folder = dashboard.app.screen.query_one("#folder", Input)
        folder.value = "/no/such/folder"
        await dashboard.wait_for("There is no such folder.")
        await dashboard.press("enter")
        await dashboard.wait_until(lambda: folder.has_focus, "the folder to be typed")
        folder.value = "~nobody-of-this-name/x"
        await dashboard.wait_for("/~nobody-of-this-name/x/", "There is no such folder.")
        await dashboard.press("enter")
        assert not answer.is_given
        folder.value = "~"
        await dashboard.wait_for(NAME, gone="There is no such folder.")
        await dashboard.press("enter")
        assert answer.value == DownloadChoice(home, False)


async def test_a_file_in_its_place_is_replaced_only_where_that_is_ticked(
    loaded_store: Store, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_bytes(b"other")
    async with open_dashboard(loaded_store) as dashboard:
        kept = await _ask(dashboard, _download(tmp_path))
        await dashboard.wait_for("A file of this name is there.", "[ ] Replace")
        await dashboard.press("enter")
        assert kept.value == DownloadChoice(tmp_path, False)
        replaced = await _ask(dashboard, _download(tmp_path))
        await dashboard.press("up", "space")
        await dashboard.wait_for("[x] Replace")
        await dashboard.click(" Save ")
        assert replaced.value == DownloadChoice(tmp_path, True)


@pytest.mark.parametrize("how", ["escape", "button"])
async def test_a_download_can_be_left(
    how: str, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answer = await _ask(dashboard, _download(Path("/")))
        if how == "escape":
            await dashboard.press("escape")
        else:
            await dashboard.click("Cancel")
        assert answer.value is None


@pytest.mark.parametrize(
    ("keys", "decision"),
    [
        (("t",), "theirs"),
        (("m",), "mine"),
        (("enter",), "theirs"),
        (("right", "enter"), "mine"),
        (("escape",), None),
    ],
)
async def test_a_conflict_is_decided_by_one_key_and_enter_changes_nothing(
    keys: tuple[str, ...],
    decision: str | None,
    loaded_store: Store,
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answer = await _ask(dashboard, ConflictScreen("name", "[/mine]", "theirs\x1b[2J"))
        assert "[/mine]" in dashboard.text
        assert "theirs‹U+001B›[2J" in dashboard.text
        await dashboard.press(*keys)
        assert answer.value == decision


@pytest.mark.parametrize(
    ("keys", "is_sure"),
    [
        (("enter",), False),
        (("escape",), False),
        (("n",), False),
        (("y",), True),
        (("right", "enter"), True),
    ],
)
async def test_enter_by_mistake_keeps_what_would_be_lost(
    keys: tuple[str, ...],
    is_sure: bool,
    loaded_store: Store,
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answer = await _ask(dashboard, ConfirmScreen("Drop it?", "Keep it", "Drop it"))
        await dashboard.press(*keys)
        assert answer.value is is_sure


async def test_a_dialog_that_is_answered_twice_closes_nothing_else(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        dashboard.app.open_saved_files()
        await dashboard.pilot.pause()
        below = dashboard.app.screen
        question = ConfirmScreen("Drop it?", "Keep it", "Drop it")
        answer = await _ask(dashboard, question)
        question.dismiss(False)
        question.dismiss(True)
        await dashboard.pilot.pause()
        assert answer.value is False
        assert dashboard.app.screen is below
