"""What a user does on the activation screen, for the tests of its steps."""

from __future__ import annotations

from textual.widgets import Input

from tests.tui.conftest import Dashboard
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState, LicenseKey, group_key
from tui_licenses.tui.screens.activation import ActivationScreen


def unassigned_keys(inventory: Inventory, *, is_master: bool) -> list[LicenseKey]:
    """Return keys that can be activated now."""
    return [
        key
        for key in inventory.keys
        if key.state is KeyState.UNASSIGNED
        and key.is_master is is_master
        and key.expires_at is None
        and key.starts_at is None
    ]


def licensed_instance(inventory: Inventory) -> Instance:
    """Return an instance with a master key of this account."""
    own = {key.id for key in inventory.keys if key.state is KeyState.ACTIVE}
    return next(
        known
        for known in inventory.instances
        if known.master_key_id in own and known.fingerprint is not None
    )


def instance_of_partner(inventory: Inventory) -> Instance:
    """Return an instance whose master key another account owns."""
    own = {key.id for key in inventory.keys}
    return next(
        known
        for known in inventory.instances
        if known.master_key_id is not None and known.master_key_id not in own
    )


def activation_screen(dashboard: Dashboard) -> ActivationScreen:
    """Return the activation screen on top."""
    screen = dashboard.app.screen
    assert isinstance(screen, ActivationScreen)
    return screen


async def open_activation(dashboard: Dashboard, instance: Instance | None = None) -> None:
    """Open the activation, for an instance if one is given."""
    dashboard.app.open_activation(None if instance is None else instance.id)
    await dashboard.wait_for("Activate license keys", "[1] Keys")


async def queue_keys(dashboard: Dashboard, *keys: LicenseKey) -> None:
    """Queue keys and wait until the cloud has said something about each."""
    for key in keys:
        dashboard.app.screen.query_one("#key-field", Input).value = key.key
        await dashboard.press("enter")
        await dashboard.wait_for(group_key(key.key), gone="asking the cloud")


async def open_review(dashboard: Dashboard, instance: Instance, *keys: LicenseKey) -> None:
    """Queue keys and go on to the review."""
    await open_activation(dashboard, instance)
    await queue_keys(dashboard, *keys)
    await dashboard.press("f8")
    await dashboard.wait_for(f"Chosen: {instance.name}")
    await dashboard.press("f8")
    await dashboard.wait_for(
        "[3] Review", "On this instance:", f"“{instance.name}”", gone="Asking the cloud"
    )


async def type_new_instance(dashboard: Dashboard, key: LicenseKey, name: str) -> None:
    """Queue a key and type all of a new instance but its profile."""
    await open_activation(dashboard)
    await queue_keys(dashboard, key)
    await dashboard.press("enter")
    await dashboard.wait_for("[2] Instance")
    await dashboard.click("A new instance")
    await dashboard.wait_for("Server profile (.xml)")
    activation_screen(dashboard).query_one("#name").focus()
    await dashboard.type(name)
    await dashboard.press("enter")
    await dashboard.type("fin")
    await dashboard.press("enter")
    await dashboard.type("Espoo")
    await dashboard.press("enter")
    await dashboard.type("6.2.1")
