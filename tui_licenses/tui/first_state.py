"""The state the dashboard begins with: what is known before the cloud is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_licenses.config import Settings
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.app_state import AppState, View

if TYPE_CHECKING:
    from tui_licenses.wiring import Services


def first_state(services: Services, settings: Settings, known: Inventory | None) -> AppState:
    """Return a state with what was read of the local copy, at least with its first rows."""
    view = View(
        show_add_ons=services.context.show_add_ons,
        mask_keys=settings.mask_keys,
        expiring_days=settings.expiring_days,
    )
    inventory = known or services.local_copy.read_first()
    if inventory is None:
        return AppState(view=view)
    return AppState(inventory.user, inventory, is_loading=inventory.cursor is None, view=view)
