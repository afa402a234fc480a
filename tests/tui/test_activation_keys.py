"""The first step of an activation: typing, pasting and checking keys; and leaving it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from tests.tui.activation_driver import (
    licensed_instance,
    open_activation,
    queue_keys,
    unassigned_keys,
)
from tests.tui.conftest import OpenDashboard
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import group_key
from tui_licenses.errors import UnavailableError
from tui_licenses.service.activation import ActivationService
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.confirm import ConfirmScreen

CheckFrame = Callable[[str, str], None]


async def test_a_key_is_checked_in_form_before_the_cloud_is_asked(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await dashboard.type("abcd-12")
        await dashboard.press("enter")
        await dashboard.wait_for("this one has 6", "No key is queued yet")
        assert dashboard.app.screen.query_one("#key-field", Input).value == "abcd-12"


async def test_a_paste_of_many_lines_queues_the_keys_and_leaves_what_are_none(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    first, second = unassigned_keys(inventory, is_master=True)[:2]
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        field = dashboard.app.screen.query_one("#key-field", Input)
        text = f"{group_key(first.key).lower()}\r\nnot a key\n{second.key},{first.key}; x\n"
        field.post_message(events.Paste(text))
        await dashboard.wait_for(
            group_key(first.key), group_key(second.key), gone="asking the cloud"
        )
        await dashboard.wait_for("2 of these are no license keys.")
        assert field.value == "not a key; x"
        field.value = ""
        field.post_message(events.Paste(first.key))
        await dashboard.wait_until(lambda: field.value == first.key, "the single key")
        await dashboard.press("enter")
        await dashboard.wait_for("A key that was queued already is queued once.")


async def test_each_key_shows_what_it_is_or_why_it_cannot_be_assigned(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    free = unassigned_keys(inventory, is_master=True)[0]
    used = next(
        key for key in inventory.keys if key.id == licensed_instance(inventory).master_key_id
    )
    unknown = replace(free, key="ZZZZZZZZZZZZZZZZ")
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await queue_keys(dashboard, free, used, unknown)
        await dashboard.wait_for(free.product_name, "Features: ")
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.press("down")
        await dashboard.wait_for("Take it off the queue, or release it", "It is “")
        await dashboard.press("down")
        await dashboard.wait_for("There is no such license key")
        await dashboard.press("enter", "x")
        await dashboard.wait_for("Activate license keys", gone="ZZZZ-ZZZZ-ZZZZ-ZZZZ")


async def test_a_lookup_that_failed_is_asked_again_on_demand(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = unassigned_keys(inventory, is_master=True)[:2]
    real = ActivationService.validate
    asked: list[str] = []

    async def unreachable(self: ActivationService, key: str) -> object:
        asked.append(key)
        if len(asked) == 1:
            raise UnavailableError("timeout", "The cloud did not answer.", "Try again.")
        return await real(self, key)

    monkeypatch.setattr(ActivationService, "validate", unreachable)
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        dashboard.app.screen.query_one("#key-field", Input).value = f"{first.key},{second.key}"
        await dashboard.press("enter")
        await dashboard.wait_for("? The cloud did not answer.", gone="asking the cloud")
        assert asked == [first.key]
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.press("r")
        await dashboard.wait_for("yes", gone="did not answer")


async def test_nothing_goes_on_without_a_key(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await dashboard.press("enter")
        await dashboard.wait_for("No key is queued.", "Type a license key first.")
        await dashboard.type("abc")
        await dashboard.press("f8")
        await dashboard.wait_for("this one has 3", "[1] Keys")


async def test_a_key_that_stands_in_the_field_is_queued_by_going_on(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    key = unassigned_keys(inventory, is_master=True)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        dashboard.app.screen.query_one("#key-field", Input).value = key.key
        await dashboard.click("Next: the instance")
        await dashboard.wait_for("[2] Instance")
        await dashboard.click(" Back ")
        await dashboard.wait_for("[1] Keys", group_key(key.key))


@pytest.mark.parametrize("how", ["escape", "q", "ctrl+c"])
async def test_a_queue_is_not_dropped_without_a_question(
    how: str, loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await queue_keys(dashboard, unassigned_keys(inventory, is_master=True)[0])
        queue = dashboard.app.screen.query_one("#queue")
        queue.focus()
        await dashboard.wait_until(lambda: queue.has_focus, "the focus")
        await dashboard.press(how)
        await dashboard.wait_for("Drop the queue of 1 key?")
        await dashboard.press("enter")
        await dashboard.wait_for("Can be assigned", gone="Drop the queue")
        await dashboard.press(how)
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, ConfirmScreen), "the question"
        )
        await dashboard.press("y")
        if how == "escape":
            await dashboard.wait_for("Show add-on keys")
        else:
            await dashboard.wait_until(
                lambda: dashboard.app.return_value == (0 if how == "q" else 130), "the end"
            )


async def test_an_empty_queue_is_left_without_a_question(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard)
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")
        await open_activation(dashboard)
        await dashboard.type("abc")
        await dashboard.press("escape")
        await dashboard.wait_for("Drop what you typed?")
