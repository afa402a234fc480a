"""The License Keys window, as a user sees and uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.values import with_other
from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState, LicenseKey, group_key
from tui_licenses.state.events import FileSaved, InventoryLoaded
from tui_licenses.state.store import Store
from tui_licenses.tui.place import Place, PlaceKind
from tui_licenses.tui.screens.download import DownloadScreen
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen
from tui_licenses.tui.screens.key_details import KeyDetailsScreen

CheckFrame = Callable[[str, str], None]


def _instance(inventory: Inventory) -> Instance:
    return next(
        known for known in inventory.instances if known.has_profile and known.add_on_count > 2
    )


def _master(inventory: Inventory) -> LicenseKey:
    wanted = _instance(inventory).master_key_id
    return next(key for key in inventory.keys if key.id == wanted)


def _unassigned(inventory: Inventory) -> LicenseKey:
    return next(key for key in inventory.keys if key.state is KeyState.UNASSIGNED)


async def _open(dashboard: Dashboard, key: LicenseKey) -> None:
    dashboard.app.open_key(key.id)
    await dashboard.wait_for("License Keys", "Last updated")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_window_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard, _master(inventory))
        check_frame(f"key-{size[0]}x{size[1]}", dashboard.text)


async def test_status_last_update_and_instance_come_first(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _master(inventory))
        lines = dashboard.text.splitlines()
        first = lines.index("License Keys") + 1
        assert lines[first].startswith("Status")
        assert lines[first + 1].startswith("Last updated")
        assert lines[first + 2].startswith(f"Instance      {_instance(inventory).name}")


async def test_there_is_a_row_for_the_master_and_each_add_on(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _instance(inventory)
    async with open_dashboard(loaded_store, size=(120, 40)) as dashboard:
        await _open(dashboard, _master(inventory))
        for key in inventory.keys:
            if key.instance_id == instance.id:
                assert group_key(key.key) in dashboard.text
        lines = dashboard.text.splitlines()
        titles = next(index for index, line in enumerate(lines) if "Product " in line[40:])
        assert lines[titles + 1].startswith(f"{group_key(_master(inventory).key)} master")


async def test_the_license_file_says_what_it_holds_before_and_what_remains_after(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    tmp_path: Path,
) -> None:
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await _open(dashboard, _master(inventory))
        await dashboard.wait_for("d download license file (.bin): contains 1 master + ")
        await dashboard.press("d")
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, DownloadScreen), "the question where to"
        )
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: bool(dashboard.app.store.state.saved_files), "the saved file"
        )
        await dashboard.press("escape")
        file = dashboard.app.store.state.saved_files[0]
        assert file.path.is_file()
        await dashboard.wait_for(
            f"SHA-256: {file.sha256}", "contains 1 master + ", "What remains, by hand", "sha256sum"
        )


async def test_a_file_of_another_instance_is_not_shown_here(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    tmp_path: Path,
) -> None:
    other = next(
        known
        for known in inventory.instances
        if known.master_key_id and known.id != _instance(inventory).id
    )
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _master(inventory))
        downloads = dashboard.app.services.downloads
        profile = await downloads.profile(_instance(inventory), tmp_path)
        dashboard.app.store.dispatch(FileSaved(profile))
        dashboard.app.store.dispatch(FileSaved(await downloads.license_file(other, tmp_path)))
        await dashboard.pilot.pause()
        assert "What remains, by hand" not in dashboard.text


@pytest.mark.parametrize("key", ["c", "enter"])
async def test_each_row_has_its_own_certificate(
    key: str,
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    tmp_path: Path,
) -> None:
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await _open(dashboard, _master(inventory))
        await dashboard.press("down", key)
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, DownloadScreen), "the question where to"
        )
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: bool(dashboard.app.store.state.saved_files), "the certificate"
        )
        file = dashboard.app.store.state.saved_files[0]
        assert file.path.read_bytes().startswith(b"%PDF")
        assert file.subject != _master(inventory).key[-4:]


async def test_a_key_without_an_instance_tells_why_there_is_no_license_file(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _unassigned(inventory))
        await dashboard.wait_for("not assigned", "No license file: This key is not assigned")
        for key in ("d", "p", "i"):
            await dashboard.press(key)
        assert isinstance(dashboard.app.screen, KeyDetailsScreen)


async def test_a_suspended_master_tells_why_there_is_no_license_file(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    master = _master(inventory)
    keys = tuple(
        replace(key, state=KeyState.SUSPENDED) if key.id == master.id else key
        for key in inventory.keys
    )
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, master)
        dashboard.app.store.dispatch(InventoryLoaded(with_other(inventory, keys=keys)))
        await dashboard.wait_for("‖ Suspended", "No license file: The master key", "suspended")


async def test_the_instance_name_links_to_its_details(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _master(inventory))
        await dashboard.press("i")
        screen = dashboard.app.screen
        assert isinstance(screen, InstanceDetailsScreen)
        assert screen.instance_id == _instance(inventory).id


async def test_masked_keys_are_masked_here_too_and_copied_in_full(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    master = _master(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, master)
        assert group_key(master.key) in dashboard.text
        await dashboard.press("m")
        await dashboard.wait_for("••••-••••-••••-" + master.key[-4:], gone=group_key(master.key))
        await dashboard.press("y")
        await dashboard.wait_for("clipboard of the terminal: ••••")


async def test_the_profile_of_the_instance_can_be_saved_from_here(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _master(inventory))
        await dashboard.press("p")
        await dashboard.wait_for("Download the server profile (.xml)")


async def test_a_link_from_outside_is_loaded_from_the_cloud(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    master = _master(inventory)
    async with open_dashboard(place=Place(PlaceKind.KEY, master.id)) as dashboard:
        await dashboard.wait_for("License Keys", group_key(master.key))


async def test_a_link_to_an_unassigned_key_shows_it_alone(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    key = _unassigned(inventory)
    async with open_dashboard(place=Place(PlaceKind.KEY, key.id)) as dashboard:
        await dashboard.wait_for("License Keys", group_key(key.key), "○ Unassigned")


async def test_a_link_to_nothing_says_so(open_dashboard: OpenDashboard) -> None:
    place = Place(PlaceKind.KEY, "00000000-0000-4000-8000-000000000000")
    async with open_dashboard(place=place) as dashboard:
        await dashboard.wait_for("! ", "no such license key")
        await dashboard.press("d", "c", "i", "p", "y", "escape")
        await dashboard.wait_for("Show add-on keys")
