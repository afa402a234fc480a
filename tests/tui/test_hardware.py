"""The hardware table, as a user sees and uses it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.values import with_other
from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.events import InstanceChanged, InventoryLoaded
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.download import DownloadScreen
from tui_licenses.tui.screens.hardware import HardwareScreen, csv_bytes

CheckFrame = Callable[[str, str], None]


def _instance(inventory: Inventory) -> Instance:
    return next(known for known in inventory.instances if known.has_profile)


async def _open(dashboard: Dashboard, inventory: Inventory) -> None:
    dashboard.app.open_hardware(_instance(inventory).id)
    await dashboard.wait_for("Hardware Information", "Motherboard")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_table_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard, inventory)
        check_frame(f"hardware-{size[0]}x{size[1]}", dashboard.text)


async def test_typed_words_filter_the_rows_and_escape_brings_all_back(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, inventory)
        await dashboard.press("slash")
        await dashboard.type("CPU vendor")
        await dashboard.wait_for("Intel", gone="Motherboard")
        await dashboard.press("enter", "down", "escape")
        await dashboard.wait_for("system / core / memory")
        await dashboard.press("slash")
        await dashboard.type("qqq")
        await dashboard.wait_for("No row matches.")
        await dashboard.press("x", "escape", "escape")
        assert not isinstance(dashboard.app.screen, HardwareScreen)


@pytest.mark.parametrize("key", ["y", "enter"])
async def test_a_row_is_copied_as_one_line(
    key: str, loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, inventory)
        await dashboard.press(key)
        await dashboard.wait_for("clipboard of the terminal: system / id: ")


async def test_the_rows_that_are_shown_are_saved_as_csv(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await _open(dashboard, inventory)
        await dashboard.press("slash")
        await dashboard.type("machine-id")
        await dashboard.press("enter", "x")
        await dashboard.wait_for("1 row of the hardware table", "-profile.csv")
        await dashboard.press("enter")
        await dashboard.wait_for("Saved: ")
    (file,) = tmp_path.iterdir()
    with file.open(newline="", encoding="utf-8") as lines:
        titles, row = csv.reader(lines)
    assert titles == ["section", "attribute", "value"]
    assert row[1].endswith("machine-id")


async def test_a_table_that_cannot_be_saved_says_why(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await _open(dashboard, inventory)
        name = dashboard.app.services.downloads.profile_name(_instance(inventory))
        (tmp_path / name.replace(".xml", ".csv")).write_text("mine")
        await dashboard.press("x")
        await dashboard.wait_for("A file of this name is there.")
        await dashboard.press("enter")
        await dashboard.wait_for("and holds something else.", "tick the box that replaces it")
        await dashboard.press("x", "escape")
        await dashboard.wait_for("Hardware Information")


async def test_without_rows_there_is_nothing_to_save_or_copy(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, inventory)
        await dashboard.press("slash")
        await dashboard.type("qqq")
        await dashboard.press("enter", "y", "enter", "x")
        await dashboard.wait_for("There is no row to save.")
        assert not isinstance(dashboard.app.screen, DownloadScreen)


async def test_an_instance_that_is_unknown_says_so(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        dashboard.app.open_hardware("00000000-0000-4000-8000-000000000000")
        await dashboard.wait_for("no such instance")


async def test_an_instance_outside_the_list_is_loaded(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    instance = _instance(inventory)
    others = tuple(known for known in inventory.instances if known.id != instance.id)
    loaded_store.dispatch(InventoryLoaded(with_other(inventory, instances=others)))
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, inventory)
        await dashboard.wait_for(f"Hardware Information: {instance.name}")
        dashboard.app.store.dispatch(InstanceChanged(replace(instance, name="Other name")))
        await dashboard.wait_for("Hardware Information: Other name")


def test_values_that_a_spreadsheet_would_run_are_made_inert() -> None:
    rows = [HardwareRow("system", "=cmd()", "@x"), HardwareRow("a,b", 'say "x"', "line\nbreak")]
    lines = csv_bytes(rows).decode().splitlines()
    assert lines[1:] == ["system,'=cmd(),'@x", '"a,b","say ""x""",line break']
