"""Instance Details, as a user sees and uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.widgets import Input

from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.config import Configuration, Settings
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.paths import embedded_database_file
from tui_licenses.service.instances import InstanceService
from tui_licenses.state.app_state import AppState
from tui_licenses.state.events import InstanceChanged
from tui_licenses.state.store import Store
from tui_licenses.tui.place import Place, PlaceKind
from tui_licenses.tui.screens.activation import ActivationScreen
from tui_licenses.tui.screens.conflict import ConflictScreen
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen
from tui_licenses.tui.screens.key_details import KeyDetailsScreen
from tui_licenses.wiring import open_services

CheckFrame = Callable[[str, str], None]


def _licensed(inventory: Inventory) -> Instance:
    return next(
        known for known in inventory.instances if known.has_profile and known.add_on_count > 2
    )


def _without_profile(inventory: Inventory) -> Instance:
    return replace(_licensed(inventory), profile_revision=0, fingerprint=None, hostname=None)


async def _open(dashboard: Dashboard, instance: Instance) -> None:
    dashboard.app.open_instance(instance.id)
    await dashboard.wait_for("Instance Details", "Fingerprint")


def _stored(dashboard: Dashboard, instance: Instance) -> Instance:
    inventory = dashboard.app.store.state.inventory
    assert inventory is not None
    return next(known for known in inventory.instances if known.id == instance.id)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_details_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard, _licensed(inventory))
        check_frame(f"instance-{size[0]}x{size[1]}", dashboard.text)
        await dashboard.press("l")
        await dashboard.type("jap")
        check_frame(f"instance-{size[0]}x{size[1]}-location", dashboard.text)


async def test_a_rename_in_place_reaches_the_cloud_and_every_key_row(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("  Berlin Nord ")
        await dashboard.press("enter")
        await dashboard.wait_for("The name is now Berlin Nord.")
        assert _stored(dashboard, instance).name == "Berlin Nord"
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
        await _open(dashboard, _licensed(inventory))
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
        await _open(dashboard, _licensed(inventory))
        await dashboard.press("e")
        field = dashboard.app.screen.query_one("#name-field", Input)
        field.value = name
        await dashboard.press("enter")
        await dashboard.wait_for(sentence)
        assert field.value == name
        assert field.has_focus
        await dashboard.press("escape")
        await dashboard.wait_for(_licensed(inventory).name, gone=sentence)
        assert isinstance(dashboard.app.screen, InstanceDetailsScreen)


async def test_a_location_is_chosen_by_typing_the_beginning_of_a_country(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await dashboard.press("l")
        await dashboard.press("ctrl+u")
        await dashboard.type("swi")
        await dashboard.press("down", "up", "enter", "ctrl+u")
        await dashboard.type("Basel")
        await dashboard.press("enter")
        await dashboard.wait_for("The location is now Switzerland (CH), Basel.")
        assert _stored(dashboard, instance).location == Location("CH", "Basel")


async def test_a_country_code_alone_is_a_choice_and_the_place_may_stay_empty(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await dashboard.press("l", "ctrl+u")
        await dashboard.type("jp")
        await dashboard.press("tab", "ctrl+u", "enter")
        await dashboard.wait_for("The location is now Japan (JP).")
        assert _stored(dashboard, instance).location == Location("JP", None)


async def test_enter_on_the_country_that_stands_there_keeps_it(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await dashboard.press("l", "enter", "ctrl+u")
        await dashboard.type("Cellar")
        await dashboard.press("enter")
        await dashboard.wait_for("The location is now")
        assert _stored(dashboard, instance).location == Location(
            instance.location.country_code, "Cellar"
        )


async def test_a_country_typed_over_without_a_choice_is_asked_for(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _licensed(inventory))
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
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
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
                and _stored(dashboard, instance).name == kept
            ),
            "the decision",
        )
        assert (await service.inventory.show_instance(instance.id)).name == kept


async def test_an_undecided_conflict_leaves_what_was_typed(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
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
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await dashboard.app.services.instances.relocate(instance, Location("PT", None))
        await dashboard.press("e", "ctrl+u")
        await dashboard.type("Mine")
        await dashboard.press("enter")
        await dashboard.wait_for("The name is now Mine.")
        stored = _stored(dashboard, instance)
        assert (stored.name, stored.location.country_code) == ("Mine", "PT")


async def test_a_link_from_outside_is_loaded_from_the_cloud(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
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
        await _open(dashboard, instance)
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
        await _open(dashboard, instance)
        await dashboard.wait_for("No license file: This instance has no master key")
        await dashboard.press("d")
        assert isinstance(dashboard.app.screen, InstanceDetailsScreen)


async def test_enter_opens_a_key_and_its_instance_link_leads_back(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _licensed(inventory))
        details = dashboard.app.screen
        await dashboard.press("enter")
        assert isinstance(dashboard.app.screen, KeyDetailsScreen)
        await dashboard.press("i")
        assert dashboard.app.screen is details


async def test_activation_opens_with_this_instance_chosen(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _licensed(inventory))
        await dashboard.press("a")
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, ActivationScreen), "activation"
        )


async def test_name_and_fingerprint_are_copied_whole(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
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
        await _open(dashboard, _licensed(inventory))
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
        await _open(dashboard, _licensed(inventory))
        assert dashboard.text.isascii()
        check_frame("instance-80x24-ascii", dashboard.text)


async def test_masking_and_utc_follow_the_view(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _licensed(inventory))
        await dashboard.press("m")
        await dashboard.wait_for("••••-••••-••••-")
        await dashboard.press("u")
        await dashboard.wait_for("Z (")


async def test_markup_and_escapes_in_a_name_are_text(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = replace(
        _licensed(inventory), name="host[/prod] [b]x\x1b[31m", hostname="[/]", core_version="[red]"
    )
    loaded_store.dispatch(InstanceChanged(instance))
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
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
        await _open(dashboard, _licensed(inventory))
        for key in ("e", "l", "a"):
            await dashboard.press(key)
            await dashboard.wait_for("Your role is reader")
