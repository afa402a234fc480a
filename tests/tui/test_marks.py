"""Marks in the list: single rows, ranges, all that the filter shows."""

from __future__ import annotations

from tests.support.values import with_other
from tests.tui.conftest import NOW, Dashboard, OpenDashboard
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.app_state import View
from tui_licenses.state.estate import NOT_ASSIGNED_ID, RowKind
from tui_licenses.state.events import InventoryLoaded
from tui_licenses.state.select import Selection, select_rows
from tui_licenses.state.store import Store


def _shown(store: Store) -> Selection:
    assert store.state.inventory is not None
    return select_rows(store.state.inventory, store.state.view, NOW)


def _ids(store: Store, first: int, last: int) -> frozenset[str]:
    return frozenset(row.id for row in _shown(store).rows[first : last + 1])


async def _press(dashboard: Dashboard, *keys: str) -> frozenset[str]:
    await dashboard.press(*keys)
    return dashboard.app.store.state.marked_ids


async def test_a_range_is_marked_from_the_row_marked_last_in_both_directions(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        assert await _press(dashboard, "V") == _ids(loaded_store, 0, 0)
        marked = await _press(dashboard, "down", "down", "down", "V")
        assert marked == _ids(loaded_store, 0, 3)
        marked = await _press(dashboard, "escape", "down", "space", "up", "up", "up", "V")
        assert marked == _ids(loaded_store, 2, 4)
        await dashboard.wait_for("3 marked")


async def test_shift_and_arrows_mark_the_rows_they_pass(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        marked = await _press(dashboard, "down", "shift+down", "shift+down")
        assert marked == _ids(loaded_store, 1, 3)
        marked = await _press(dashboard, "escape", "shift+up", "shift+up")
        assert marked == _ids(loaded_store, 1, 3)


async def test_all_rows_that_the_filter_shows_are_marked_and_unmarked(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("space")
        first = _ids(loaded_store, 0, 0)
        await dashboard.press("slash", *"rich", "escape")
        found = frozenset(row.id for row in _shown(loaded_store).rows)
        assert 1 < len(found) < 10
        assert await _press(dashboard, "asterisk") == found | first
        assert await _press(dashboard, "asterisk") == first
        await dashboard.press("asterisk", "escape")
        await dashboard.wait_for(f"{len(found | first)} marked", "24 instances")
        everything = await _press(dashboard, "asterisk")
        assert everything == frozenset(row.id for row in _shown(loaded_store).rows) - {
            NOT_ASSIGNED_ID
        }


async def test_the_heading_is_never_marked(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    heading = next(
        number
        for number, row in enumerate(_shown(loaded_store).rows)
        if row.kind is RowKind.HEADING
    )
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press(*["down"] * heading)
        assert await _press(dashboard, "space", "V") == frozenset()
        marked = await _press(dashboard, "up", "shift+down", "shift+down")
        assert marked == _ids(loaded_store, heading - 1, heading + 1) - {NOT_ASSIGNED_ID}


async def test_marks_survive_refresh_sort_and_filter(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        marked = await _press(dashboard, "down", "space", "space")
        assert len(marked) == 2
        reloaded = with_other(
            inventory, keys=inventory.keys[::-1], instances=inventory.instances[1:]
        )
        dashboard.app.store.dispatch(InventoryLoaded(reloaded))
        await dashboard.press("s", "S", "plus", "slash")
        await dashboard.type("nothing of that kind")
        await dashboard.wait_for("Nothing matches", "2 marked")
        assert dashboard.app.store.state.marked_ids == marked
        dashboard.app.store.dispatch(InventoryLoaded(inventory))
        await dashboard.press("escape", "escape")
        await dashboard.wait_for("24 instances, 120 keys, 2 marked")


async def test_in_an_empty_list_there_is_nothing_to_mark(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    empty = with_other(inventory, instances=(), keys=())
    loaded_store.dispatch(InventoryLoaded(empty))
    async with open_dashboard(loaded_store) as dashboard:
        keys = ("space", "V", "shift+down", "asterisk")
        assert await _press(dashboard, *keys) == frozenset()
    assert select_rows(empty, View(), NOW).rows.ids() == frozenset()
