"""Instance Details, as a user sees and uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tui.conftest import OpenDashboard
from tests.tui.instance_driver import licensed, open_details
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.config import Configuration, Settings
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.paths import embedded_database_file
from tui_licenses.state.app_state import AppState
from tui_licenses.state.events import InstanceChanged
from tui_licenses.state.store import Store
from tui_licenses.tui.place import Place, PlaceKind
from tui_licenses.tui.screens.activation import ActivationScreen
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen
from tui_licenses.tui.screens.key_details import KeyDetailsScreen
from tui_licenses.wiring import open_services

CheckFrame = Callable[[str, str], None]


def _without_profile(inventory: Inventory) -> Instance:
    return replace(licensed(inventory), profile_revision=0, fingerprint=None, hostname=None)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_details_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await open_details(dashboard, licensed(inventory))
        check_frame(f"instance-{size[0]}x{size[1]}", dashboard.text)
        await dashboard.press("l")
        await dashboard.type("jap")
        check_frame(f"instance-{size[0]}x{size[1]}-location", dashboard.text)


async def test_a_link_from_outside_is_loaded_from_the_cloud(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(place=Place(PlaceKind.INSTANCE, instance.id)) as dashboard:
        await dashboard.wait_for("Instance Details", instance.name, "Fingerprint")
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")


async def test_a_link_to_nothing_says_so_and_leads_back(open_dashboard: OpenDashboard) -> None:
    place = Place(PlaceKind.INSTANCE, "00000000-0000-4000-8000-000000000000")
    async with open_dashboard(place=place) as dashboard:
        await dashboard.wait_for("! ", "no such instance")
        await dashboard.press("e", "l", "y", "t")
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")


async def test_without_a_server_profile_its_actions_tell_why_not(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _without_profile(inventory)
    loaded_store.dispatch(InstanceChanged(instance))
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.wait_for("no server profile was uploaded yet")
        for key in ("p", "t"):
            await dashboard.press(key)
            await dashboard.wait_for("This instance has no server profile")
        await dashboard.press("f")
        await dashboard.wait_for("This instance has no fingerprint")


async def test_an_instance_without_a_master_key_says_why_there_is_no_license_file(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = next(known for known in inventory.instances if known.master_key_id is None)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.wait_for("No license file: This instance has no master key")
        await dashboard.press("d")
        assert isinstance(dashboard.app.screen, InstanceDetailsScreen)


async def test_enter_opens_a_key_and_its_instance_link_leads_back(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        details = dashboard.app.screen
        await dashboard.press("enter")
        assert isinstance(dashboard.app.screen, KeyDetailsScreen)
        await dashboard.press("i")
        assert dashboard.app.screen is details


async def test_activation_opens_with_this_instance_chosen(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press("a")
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, ActivationScreen), "activation"
        )


async def test_name_and_fingerprint_are_copied_whole(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.press("y")
        await dashboard.wait_for(f"clipboard of the terminal: {instance.name}")
        await dashboard.press("f")
        await dashboard.wait_for(f"clipboard of the terminal: {instance.fingerprint}")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("d", "Download the server license file (.bin)"),
        ("p", "Download the server profile (.xml)"),
        ("t", "Hardware Information: "),
    ],
)
async def test_its_documents_are_one_key_away(
    key: str,
    words: str,
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press(key)
        await dashboard.wait_for(words)


async def test_it_is_readable_without_colour_and_in_ascii(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    settings = Settings(ascii=True, refresh_seconds=0)
    async with open_dashboard(loaded_store, size=(80, 24), settings=settings) as dashboard:
        await open_details(dashboard, licensed(inventory))
        assert dashboard.text.isascii()
        check_frame("instance-80x24-ascii", dashboard.text)


async def test_masking_and_utc_follow_the_view(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press("m")
        await dashboard.wait_for("••••-••••-••••-")
        await dashboard.press("u")
        await dashboard.wait_for("Z (")


async def test_markup_and_escapes_in_a_name_are_text(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = replace(
        licensed(inventory), name="host[/prod] [b]x\x1b[31m", hostname="[/]", core_version="[red]"
    )
    loaded_store.dispatch(InstanceChanged(instance))
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.wait_for("host[/prod] [b]x‹U+001B›[31m", "[red]")
        await dashboard.press("e", "escape", "l", "escape")
        await dashboard.wait_for("host[/prod]")


async def test_a_reader_is_told_why_nothing_can_be_changed(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    reader = next(
        entry
        for entry in embedded_credentials(embedded_database_file())
        if entry.role is Role.READER
    )
    environment = {
        "TUI_LICENSES_SUBJECT_ID": reader.subject_id,
        "TUI_LICENSES_REFRESH_TOKEN": reader.refresh_token,
    }
    services = open_services(Configuration(), None, environment)
    store = Store(AppState(user=replace(inventory.user, role=Role.READER), inventory=inventory))
    async with open_dashboard(store, services=services) as dashboard:
        await open_details(dashboard, licensed(inventory))
        for key in ("e", "l", "a"):
            await dashboard.press(key)
            await dashboard.wait_for("Your role is reader")
