"""The list of saved files, as a user sees and uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.tui.conftest import NOW, OpenDashboard
from tui_licenses.service.downloads import DocumentKind, SavedFile
from tui_licenses.state.events import FileSaved
from tui_licenses.state.store import Store

CheckFrame = Callable[[str, str], None]

LICENSE = SavedFile(
    Path("/srv/licenses/berlin-11111111-license.bin"),
    DocumentKind.LICENSE,
    1436,
    "ab" * 32,
    True,
    "Berlin [b]",
    NOW,
    "contains 1 master + 3 add-ons",
)
CERTIFICATE = SavedFile(
    Path("/srv/licenses/berlin-5678-22222222-certificate.pdf"),
    DocumentKind.CERTIFICATE,
    20_480,
    "cd" * 32,
    False,
    "5678",
    NOW + timedelta(minutes=1),
    None,
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await dashboard.press("v")
        check_frame(f"saved-files-{size[0]}x{size[1]}-empty", dashboard.text)
        dashboard.app.store.dispatch(FileSaved(LICENSE))
        dashboard.app.store.dispatch(FileSaved(CERTIFICATE))
        await dashboard.press("down")
        check_frame(f"saved-files-{size[0]}x{size[1]}", dashboard.text)


async def test_path_and_checksum_are_copied_whole(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    loaded_store.dispatch(FileSaved(LICENSE))
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("v", "y")
        await dashboard.wait_for(f"clipboard of the terminal: {LICENSE.path}")
        await dashboard.press("h")
        await dashboard.wait_for(f"clipboard of the terminal: {LICENSE.sha256}")
        await dashboard.press("enter")
        await dashboard.wait_for(f"clipboard of the terminal: {LICENSE.path}")


async def test_a_license_file_is_listed_with_the_manual_steps_and_others_without(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    loaded_store.dispatch(FileSaved(LICENSE))
    loaded_store.dispatch(FileSaved(CERTIFICATE))
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("v")
        await dashboard.wait_for(str(CERTIFICATE.path), gone="What remains")
        await dashboard.press("down")
        await dashboard.wait_for("contains 1 master + 3 add-ons. What remains, by hand")


async def test_an_empty_list_has_nothing_to_copy_and_leads_back(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("v", "y", "h", "enter")
        await dashboard.wait_for("Nothing was saved since the start.", gone="clipboard")
        await dashboard.press("m")
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")
