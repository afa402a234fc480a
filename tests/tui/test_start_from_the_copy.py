"""A start from the local copy: rows at once, also without the cloud, with their age in sight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ServedCloud
from tests.tui.conftest import NOW, OpenDashboard
from tui_licenses import paths
from tui_licenses.config import Configuration, Settings
from tui_licenses.domain.inventory import Inventory
from tui_licenses.service.local_copy import LocalCopy
from tui_licenses.state.events import InventoryLoaded, LoadProgressed
from tui_licenses.state.store import Store
from tui_licenses.wiring import open_services

NOBODY_LISTENS = "http://127.0.0.1:9"
AWAY = {
    "TUI_LICENSES_URL": NOBODY_LISTENS,
    "TUI_LICENSES_SUBJECT_ID": "anna",
    "TUI_LICENSES_REFRESH_TOKEN": "secret",
}


def _keep(inventory: Inventory) -> None:
    old = replace(inventory, fetched_at=NOW.replace(day=1, month=5, hour=9, minute=41))
    LocalCopy(paths.copy_file("environment"), f"{NOBODY_LISTENS}\nanna").write(old)


async def test_without_the_cloud_the_rows_are_there_with_their_age_and_why_they_are_old(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    _keep(inventory)
    services = open_services(Configuration(), None, AWAY)
    async with open_dashboard(services=services) as dashboard:
        await dashboard.wait_for("Press r to try again.")
        assert "Berlin Hauptbahnhof" in dashboard.text
        assert "24 instances" in dashboard.text
        assert "! as of 2026-05-01 09:41" in dashboard.text
        assert "Nothing answers on 127.0.0.1 port 9." in dashboard.text
        assert inventory.user.account.name in dashboard.text
        await dashboard.press("enter")
        await dashboard.wait_for("Instance Details")


async def test_the_first_picture_shows_rows_before_anything_is_asked(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    _keep(inventory)
    services = open_services(Configuration(), None, AWAY)
    first = services.local_copy.read_first()
    assert first is not None
    async with open_dashboard(services=services, settings=Settings(refresh_seconds=0)) as dashboard:
        state = dashboard.app.store.state
        assert state.inventory is not None
        assert state.user == inventory.user
        assert "inventory" in services.__dict__, "the cloud is asked after the picture"


async def test_a_copy_is_brought_up_to_date_by_what_has_changed(
    cloud: Path, open_dashboard: OpenDashboard
) -> None:
    services = open_services(Configuration(), None, {})
    loaded = await services.inventory.load()
    instance = loaded.instances[0]
    await services.instances.rename(instance, "Aachen, renamed meanwhile")
    await services.aclose()
    async with open_dashboard() as dashboard:
        await dashboard.wait_for("Aachen, renamed meanwhile")


async def test_an_account_that_lost_the_tab_is_told_so_in_spite_of_its_copy(
    cloud: Path, open_dashboard: OpenDashboard
) -> None:
    import sqlite3

    services = open_services(Configuration(), None, {})
    await services.inventory.load()
    await services.aclose()
    with sqlite3.connect(paths.embedded_database_file()) as database:
        database.execute("UPDATE account SET plan = 'OmniD'")
    database.close()
    async with open_dashboard() as dashboard:
        await dashboard.wait_for("Omni-D")
        assert services.local_copy.read_first() is None


async def test_a_sign_in_that_ended_is_asked_for_again_in_spite_of_the_copy(
    served_cloud: ServedCloud, open_dashboard: OpenDashboard
) -> None:
    services = open_services(Configuration(), None, served_cloud.environment())
    await services.inventory.load()
    await services.aclose()
    wrong = {**served_cloud.environment(), "TUI_LICENSES_REFRESH_TOKEN": "wrong"}
    async with open_dashboard(services=open_services(Configuration(), None, wrong)) as dashboard:
        await dashboard.wait_for("refresh token")


async def test_the_progress_of_a_first_load_is_told_in_steps(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    total = len(inventory.instances) + len(inventory.keys)
    part = replace(inventory, cursor=None, total_count=total)
    async with open_dashboard(loaded_store) as dashboard:
        for loaded, told in ((total // 2, "loading… 50 %"), (total // 2 + 1, "loading… 50 %")):
            loaded_store.dispatch(InventoryLoaded(part))
            loaded_store.dispatch(LoadProgressed(loaded))
            await dashboard.wait_for(told)
        loaded_store.dispatch(InventoryLoaded(inventory))
        await dashboard.wait_for("keys", gone="loading")


@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_the_age_is_in_sight_at_every_width(
    columns: int, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    _keep(inventory)
    services = open_services(Configuration(), None, AWAY)
    async with open_dashboard(services=services, size=(columns, 24)) as dashboard:
        await dashboard.wait_for("as of 2026-05-01")
