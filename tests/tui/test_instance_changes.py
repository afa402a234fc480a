"""What is changed in Instance Details: the name and the location, alone and at once."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Input

from tests.tui.conftest import OpenDashboard
from tests.tui.instance_driver import licensed, open_details, stored
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.service.instances import InstanceService
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.conflict import ConflictScreen
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen


async def test_a_rename_in_place_reaches_the_cloud_and_every_key_row(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("  Berlin Nord ")
        await dashboard.press("enter")
        await dashboard.wait_for("The name is now Berlin Nord.")
        assert stored(dashboard, instance).name == "Berlin Nord"
        state = dashboard.app.store.state
        assert state.inventory is not None
        names = {
            key.instance_name for key in state.inventory.keys if key.instance_id == instance.id
        }
        assert names == {"Berlin Nord"}
        told = await dashboard.app.services.inventory.show_instance(instance.id)
        assert told.name == "Berlin Nord"


async def test_a_change_that_waits_for_its_answer_says_so(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_answered, rename = asyncio.Event(), InstanceService.rename

    async def rename_later(service: InstanceService, instance: Instance, name: str) -> Instance:
        await is_answered.wait()
        return await rename(service, instance, name)

    monkeypatch.setattr(InstanceService, "rename", rename_later)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press("e", "ctrl+u", *"Nord", "enter")
        await dashboard.wait_for("Changing the name…")
        is_answered.set()
        await dashboard.wait_for("The name is now Nord.", gone="Changing")
        await dashboard.press("e", "ctrl+u", "enter")
        await dashboard.wait_for("A name cannot be empty.", gone="Changing")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("   ", "A name cannot be empty."), ("x" * 121, "A name has at most 120 characters")],
)
async def test_a_name_that_is_no_name_is_refused_beside_its_field(
    name: str,
    sentence: str,
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press("e")
        field = dashboard.app.screen.query_one("#name-field", Input)
        field.value = name
        await dashboard.press("enter")
        await dashboard.wait_for(sentence)
        assert field.value == name
        assert field.has_focus
        await dashboard.press("escape")
        await dashboard.wait_for(licensed(inventory).name, gone=sentence)
        assert isinstance(dashboard.app.screen, InstanceDetailsScreen)


async def test_a_location_is_chosen_by_typing_the_beginning_of_a_country(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.press("l")
        await dashboard.press("ctrl+u")
        await dashboard.type("swi")
        await dashboard.press("down", "up", "enter", "ctrl+u")
        await dashboard.type("Basel")
        await dashboard.press("enter")
        await dashboard.wait_for("The location is now Switzerland (CH), Basel.")
        assert stored(dashboard, instance).location == Location("CH", "Basel")


async def test_a_country_code_alone_is_a_choice_and_the_place_may_stay_empty(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.press("l", "ctrl+u")
        await dashboard.type("jp")
        await dashboard.press("tab", "ctrl+u", "enter")
        await dashboard.wait_for("The location is now Japan (JP).")
        assert stored(dashboard, instance).location == Location("JP", None)


async def test_enter_on_the_country_that_stands_there_keeps_it(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.press("l", "enter", "ctrl+u")
        await dashboard.type("Cellar")
        await dashboard.press("enter")
        await dashboard.wait_for("The location is now")
        assert stored(dashboard, instance).location == Location(
            instance.location.country_code, "Cellar"
        )


async def test_a_country_typed_over_without_a_choice_is_asked_for(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, licensed(inventory))
        await dashboard.press("l", "ctrl+u")
        await dashboard.type("qq")
        await dashboard.press("tab", "enter")
        await dashboard.wait_for("No country is chosen.")
        await dashboard.press("escape")
        await dashboard.wait_for("Location", gone="No country is chosen.")


@pytest.mark.parametrize(("key", "kept"), [("m", "Mine"), ("t", "Theirs"), ("enter", "Theirs")])
async def test_two_changes_of_one_name_are_shown_and_one_is_kept(
    key: str,
    kept: str,
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        service = dashboard.app.services
        await service.instances.rename(instance, "Theirs")
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("Mine")
        await dashboard.press("enter")
        await dashboard.wait_for("Somebody else changed the name meanwhile", "Theirs", "Mine")
        await dashboard.press(key)
        await dashboard.wait_until(
            lambda: (
                isinstance(dashboard.app.screen, InstanceDetailsScreen)
                and stored(dashboard, instance).name == kept
            ),
            "the decision",
        )
        assert (await service.inventory.show_instance(instance.id)).name == kept


async def test_an_undecided_conflict_leaves_what_was_typed(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.app.services.instances.rename(instance, "Theirs")
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("Mine")
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, ConflictScreen), "the conflict"
        )
        await dashboard.press("escape")
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, InstanceDetailsScreen), "the details"
        )
        assert dashboard.app.screen.query_one("#name-field", Input).value == "Mine"


async def test_a_change_of_another_field_meanwhile_needs_no_question(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await open_details(dashboard, instance)
        await dashboard.app.services.instances.relocate(instance, Location("PT", None))
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("Mine")
        await dashboard.press("enter")
        await dashboard.wait_for("The name is now Mine.")
        changed = stored(dashboard, instance)
        assert (changed.name, changed.location.country_code) == ("Mine", "PT")
