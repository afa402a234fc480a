"""What the tests of Instance Details share: an instance to open, and what became of it."""

from __future__ import annotations

from tests.tui.conftest import Dashboard
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory


def licensed(inventory: Inventory) -> Instance:
    """Return an instance with a server profile and several add-ons."""
    return next(
        known for known in inventory.instances if known.has_profile and known.add_on_count > 2
    )


async def open_details(dashboard: Dashboard, instance: Instance) -> None:
    """Open the details of an instance, and wait for them."""
    dashboard.app.open_instance(instance.id)
    await dashboard.wait_for("Instance Details", "Fingerprint")


def stored(dashboard: Dashboard, instance: Instance) -> Instance:
    """Return an instance as the dashboard knows it now."""
    inventory = dashboard.app.store.state.inventory
    assert inventory is not None
    return next(known for known in inventory.instances if known.id == instance.id)
