"""Downloads from the list: one document or many, what is told, what is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.scripted_server import Behaviour
from tests.support.scripted_services import scripted_services
from tests.support.values import with_other
from tests.tui.conftest import OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyKind
from tui_licenses.state.app_state import AppState
from tui_licenses.state.events import RowsMarked
from tui_licenses.state.store import Store


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, where downloads go by default."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _settings(folder: Path) -> Settings:
    return Settings(refresh_seconds=0, download_folder=folder)


async def test_a_license_file_is_saved_with_its_checksum_and_the_steps_that_remain(
    loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("down", "d")
        await dashboard.wait_for("License file with 1 master + ", str(downloads), "Save")
        await dashboard.press("enter")
        await dashboard.wait_for("License file saved", "sha256", "by hand")
        (saved,) = loaded_store.state.saved_files
        assert saved.path.parent == downloads
        assert saved.path.suffix == ".bin"
        assert saved.sha256 in dashboard.text.replace("\n", "")
        await dashboard.press("up", "down", "enter")
        await dashboard.wait_for("Saved ", gone="License file saved")


async def test_certificates_and_profiles_are_saved_from_the_list(
    loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("down")
        for key, note, ending in (
            ("c", "proof of purchase", ".pdf"),
            ("p", "byte for byte", ".xml"),
        ):
            await dashboard.press(key)
            await dashboard.wait_for(note)
            await dashboard.press("enter")
            await dashboard.wait_until(
                lambda ending=ending: any(  # type: ignore[misc]
                    file.path.suffix == ending for file in loaded_store.state.saved_files
                ),
                f"a saved {ending}",
            )
            await dashboard.wait_for("Saved ")


async def test_a_cancelled_download_saves_nothing(
    loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("d")
        await dashboard.wait_for("License file with 1 master")
        dashboard.app.download_license("another while this one is under way")
        await dashboard.press("escape")
        await dashboard.wait_for("Nothing was saved.")
        assert _names(downloads) == []


def _mark(store: Store, inventory: Inventory, count: int) -> tuple[Instance, ...]:
    licensed = tuple(instance for instance in inventory.instances if instance.state == "licensed")[
        :count
    ]
    store.state = replace(store.state, marked_ids=frozenset(each.id for each in licensed))
    return licensed


async def test_marked_rows_are_downloaded_together_and_their_marks_go(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    _mark(loaded_store, inventory, 3)
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("p")
        await dashboard.wait_for("3 server profiles, each under a name of its own.")
        await dashboard.press("enter")
        await dashboard.wait_for(
            "100%  3 of 3", "3 saved, 0 already there, 0 failed", "All files are there; SHA256SUMS"
        )
        assert sum(name.endswith(".xml") for name in _names(downloads)) == 3
        assert [file.path.parent for file in loaded_store.state.saved_files] == [downloads] * 3
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys", gone="3 marked")


async def test_items_that_failed_come_first_with_their_reasons_and_stay_marked(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    good, bare = (
        next(each for each in inventory.instances if each.has_profile),
        next(each for each in inventory.instances if not each.has_profile),
    )
    loaded_store.state = replace(loaded_store.state, marked_ids=frozenset({good.id, bare.id}))
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("p")
        await dashboard.wait_for("2 server profiles")
        await dashboard.press("enter")
        await dashboard.wait_for("1 saved, 0 already there, 1 failed", "What is missing stays")
        lines = dashboard.text.splitlines()
        first = next(number for number, line in enumerate(lines) if line.startswith("failed"))
        assert bare.name in lines[first]
        assert "This instance has no server profile." in lines[first]
        assert lines[first + 1].startswith("saved")
        await dashboard.press("y")
        await dashboard.wait_for("clipboard of the terminal: This instance has no server profile.")
        await dashboard.press("down", "y")
        await dashboard.wait_for(f"clipboard of the terminal: {downloads}/", "SHA-256: ")
        await dashboard.press("escape")
        await dashboard.wait_for("1 marked")
        assert loaded_store.state.marked_ids == {bare.id}


async def test_the_same_key_again_fetches_only_what_is_missing(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    marked = _mark(loaded_store, inventory, 3)
    marks = frozenset(each.id for each in marked)
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        for there, told in (
            (None, "3 saved, 0 already there"),
            ("Already there: 2 of 3", "1 saved, 2 already there"),
        ):
            await dashboard.press("d")
            await dashboard.wait_for("3 license files", there or "Saved in")
            await dashboard.press("enter")
            await dashboard.wait_for(told)
            await dashboard.press("escape")
            await dashboard.wait_for("Show add-on keys")
            next(downloads.glob("*-license.bin")).unlink()
            loaded_store.dispatch(RowsMarked(marks))


async def test_a_download_of_many_is_stopped_by_escape_and_ctrl_c_and_keeps_its_marks(
    inventory: Inventory, downloads: Path, open_dashboard: OpenDashboard
) -> None:
    for key in ("escape", "ctrl+c"):
        store = Store(AppState(user=inventory.user, inventory=inventory))
        _mark(store, inventory, 5)
        async with scripted_services(lambda _: Behaviour.HANG) as (services, server):
            options = {"settings": _settings(downloads), "services": services}
            async with open_dashboard(store, **options) as dashboard:  # type: ignore[arg-type]
                await dashboard.press("p")
                await dashboard.wait_for("5 server profiles")
                await dashboard.press("enter")
                await dashboard.wait_for("0 of 5", "Esc stops the download")
                await server.asked(5)
                await dashboard.press(key)
                await dashboard.wait_for("not fetched", "Start it again", "What is missing stays")
                await dashboard.press("escape")
                await dashboard.wait_for("5 marked")
        assert _names(downloads) == []


async def test_a_key_marked_for_its_certificate_is_saved_even_where_it_is_not_listed(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    keys = [key for key in inventory.keys if key.kind is KeyKind.ADD_ON and key.instance_id][:2]
    loaded_store.state = replace(loaded_store.state, marked_ids=frozenset(k.id for k in keys))
    async with open_dashboard(loaded_store, settings=_settings(downloads)) as dashboard:
        await dashboard.press("c")
        await dashboard.wait_for("2 certificates")
        await dashboard.press("enter")
        await dashboard.wait_for("2 saved, 0 already there, 0 failed")


async def test_what_is_not_in_the_list_is_fetched_for_a_download(
    inventory: Inventory, open_dashboard: OpenDashboard, downloads: Path
) -> None:
    store = Store(AppState(inventory=with_other(inventory, instances=(), keys=())))
    instance = next(each for each in inventory.instances if each.has_profile)
    async with open_dashboard(store, settings=_settings(downloads)) as dashboard:
        dashboard.app.download_profile(instance.id)
        await dashboard.wait_for("byte for byte")
        await dashboard.press("escape")
        await dashboard.wait_for("Nothing was saved.")
        dashboard.app.download_certificate(inventory.keys[0].id)
        await dashboard.wait_for("proof of purchase")
        await dashboard.press("escape")
        await dashboard.wait_for(gone="proof of purchase")
        dashboard.app.download_license("11111111-1111-4111-8111-111111111111")
        await dashboard.wait_for("This did not work")
