"""The second step of an activation: an instance of the list or a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.widgets import Input

from tests.support.values import with_other
from tests.tui.activation_driver import (
    activation_screen,
    licensed_instance,
    open_activation,
    open_review,
    queue_keys,
    type_new_instance,
    unassigned_keys,
)
from tests.tui.conftest import OpenDashboard
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.events import InstanceChanged, InventoryLoaded
from tui_licenses.state.store import Store

CheckFrame = Callable[[str, str], None]


async def test_an_instance_is_found_by_typing_and_needs_to_be_chosen(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = next(known for known in inventory.instances if known.name.startswith("Lagos"))
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await queue_keys(dashboard, unassigned_keys(inventory, is_master=True)[0])
        await dashboard.press("enter")
        await dashboard.wait_for("No instance is chosen yet")
        await dashboard.press("f8")
        await dashboard.wait_for("No instance is chosen.", "or a new instance.")
        await dashboard.type("metta")
        await dashboard.wait_for(instance.name)
        await dashboard.press("enter")
        await dashboard.wait_for(f"Chosen: {instance.name}")
        activation_screen(dashboard).query_one("#instances Input").focus()
        await dashboard.press("ctrl+u")
        await dashboard.wait_for("No instance is chosen yet")


async def test_a_new_instance_is_activated_with_a_profile_from_a_file(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    key = unassigned_keys(inventory, is_master=True)[0]
    profile = tmp_path / "profile.xml"
    async with open_dashboard(loaded_store) as dashboard:
        services = dashboard.app.services
        profile.write_bytes(await services.instances.this_host_profile())
        await type_new_instance(dashboard, key, "Espoo 1")
        await dashboard.press("f8")
        await dashboard.wait_for("This instance needs a server profile.")
        path = activation_screen(dashboard).query_one("#path", Input)
        path.focus()
        path.value = str(tmp_path / "missing.xml")
        await dashboard.press("enter")
        await dashboard.wait_for("There is no file")
        path.value = str(profile)
        await dashboard.press("f8")
        await dashboard.wait_for("[3] Review", "On a new instance:", "“Espoo 1”", "is activated")
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result", "1 key activated on Espoo 1")
        made = await services.inventory.find_instance("Espoo 1")
        assert (made.location.country_code, made.location.label) == ("FI", "Espoo")
        assert made.core_version == "6.2.1"


async def test_a_new_instance_can_take_the_profile_of_this_very_host(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    key = unassigned_keys(inventory, is_master=True)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await type_new_instance(dashboard, key, "Espoo 2")
        await dashboard.click("Use this host")
        await dashboard.wait_for("Read from this host: ", "fingerprint ")
        await dashboard.press("f8")
        await dashboard.wait_for("[3] Review", "is activated")
        await dashboard.press("f7")
        await dashboard.wait_for("[2] Instance", "Espoo 2", "Read from this host")


async def test_a_new_instance_without_a_country_or_with_a_broken_profile_is_refused(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<a>")
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await queue_keys(dashboard, unassigned_keys(inventory, is_master=True)[0])
        await dashboard.press("f8")
        await dashboard.click("A new instance")
        await dashboard.wait_for("Server profile (.xml)")
        path = activation_screen(dashboard).query_one("#path", Input)
        path.focus()
        path.value = str(broken)
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: bool(activation_screen(dashboard).query_one("#profile-problem").display),
            "the problem",
        )
        assert path.value == str(broken)
        await dashboard.click("Use this host")
        await dashboard.wait_for("Read from this host: ")
        await dashboard.press("f8")
        await dashboard.wait_for("The country of the new instance is missing.")
        await dashboard.click("An instance of the list")
        await dashboard.wait_for("No instance is chosen yet")


async def test_an_instance_that_has_no_profile_is_asked_for_one(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = replace(licensed_instance(inventory), profile_revision=0, fingerprint=None)
    loaded_store.dispatch(InstanceChanged(instance))
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard, instance)
        await queue_keys(dashboard, unassigned_keys(inventory, is_master=False)[0])
        await dashboard.press("f8")
        await dashboard.wait_for("Server profile (.xml)", f"Chosen: {instance.name}")


async def test_an_instance_outside_the_list_is_loaded_and_one_that_is_none_is_told(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    instance = licensed_instance(inventory)
    loaded_store.dispatch(InventoryLoaded(with_other(inventory, instances=())))
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, instance, unassigned_keys(inventory, is_master=False)[0])
        dashboard.app.open_activation("00000000-0000-4000-8000-000000000000")
        await dashboard.wait_for("no such instance", "[1] Keys")
