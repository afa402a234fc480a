"""The list of licenses, as a user sees and uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.values import with_other
from tests.tui.conftest import NOW, OpenDashboard
from tui_licenses.config import Settings, load_configuration
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyKind, group_key
from tui_licenses.errors import UnavailableError
from tui_licenses.state.app_state import AppState, View
from tui_licenses.state.events import InventoryLoaded, LoadFailed, LoadStarted
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.licenses import LicensesScreen
from tui_licenses.tui.widgets.row_table import RowTable

CheckFrame = Callable[[str, str], None]


def _table(dashboard: object) -> RowTable[object]:
    table = dashboard.app.screen.query_one("#rows", RowTable)  # type: ignore[attr-defined]
    assert isinstance(table, RowTable)
    return table


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        check_frame(f"licenses-{size[0]}x{size[1]}", dashboard.text)
        await dashboard.press("plus")
        check_frame(f"licenses-{size[0]}x{size[1]}-add-ons", dashboard.text)


async def test_the_list_is_readable_without_colour_and_in_ascii(
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    settings = Settings(ascii=True, refresh_seconds=0)
    async with open_dashboard(loaded_store, size=(80, 24), settings=settings) as dashboard:
        assert dashboard.app.no_color
        assert dashboard.text.isascii()
        check_frame("licenses-80x24-ascii", dashboard.text)


@pytest.mark.parametrize("theme", ["light", "ansi"])
async def test_every_theme_shows_the_same_words(
    theme: str, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    settings = Settings(theme=theme, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        assert "● Active" in dashboard.text


async def test_the_header_names_account_plan_subject_and_cloud(
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard() as dashboard:
        first = dashboard.text.splitlines()[0]
        user = dashboard.app.store.state.user
        assert user is not None
        for wanted in (user.account.name, "Enterprise", user.display_name, "LAB"):
            assert wanted in first


async def test_instances_and_keys_are_loaded_from_the_cloud_and_counted(
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard() as dashboard:
        assert "24 instances, 32 keys, 88 add-ons hidden" in dashboard.text
        assert "as of " in dashboard.text


async def test_the_add_on_box_is_turned_by_key_and_mouse_and_remembered(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.wait_for("[ ] Show add-on keys")
        await dashboard.click("Show add-on keys")
        await dashboard.wait_for("[x] Show add-on keys", "Add-on ", "120 keys")
        await dashboard.wait_until(lambda: bool(load_configuration().contexts), "a saved choice")
        assert load_configuration().contexts[0].show_add_ons
        await dashboard.press("plus")
        await dashboard.wait_for("[ ] Show add-on keys", "add-ons hidden")
        await dashboard.wait_until(
            lambda: not load_configuration().contexts[0].show_add_ons, "the other choice"
        )


async def test_typing_filters_at_once_and_escape_brings_everything_back(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("slash")
        await dashboard.type("lagos zz")
        await dashboard.wait_for("Nothing matches “lagos zz”.")
        await dashboard.press("backspace", "backspace", "backspace")
        await dashboard.wait_for("1 instance, 1 key", "Lagos")
        await dashboard.press("escape")
        assert _table(dashboard).has_focus
        await dashboard.press("escape")
        await dashboard.wait_for("24 instances")


async def test_a_key_is_found_however_it_is_typed(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    key = next(key for key in inventory.keys if key.is_master and key.instance_id)
    async with open_dashboard(loaded_store) as dashboard:
        for typed in (group_key(key.key).lower(), key.key, key.key[2:9]):
            await dashboard.press("slash")
            await dashboard.type(typed)
            await dashboard.wait_for("1 instance, 1 key", group_key(key.key))
            await dashboard.press("enter", "escape")


async def test_a_match_among_hidden_add_ons_says_how_to_show_it(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    key = next(key for key in inventory.keys if key.kind is KeyKind.ADD_ON and key.instance_id)
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("slash")
        await dashboard.type(key.key)
        await dashboard.wait_for("1 instance, 0 keys, 1 add-on hidden")


async def test_a_refresh_keeps_the_cursor_on_the_same_row(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        await dashboard.press("pagedown", "down", "down")
        table = _table(dashboard)
        before, line = table.cursor_id, table._cursor - table.scroll_offset.y
        first = inventory.instances[0]
        fewer = tuple(i for i in inventory.instances if i.id != first.id or i.id == before)
        loaded_store.dispatch(InventoryLoaded(with_other(inventory, instances=fewer)))
        await dashboard.pilot.pause()
        assert table.cursor_id == before
        assert table._cursor - table.scroll_offset.y == line


async def test_sorting_and_add_ons_keep_the_cursor_on_the_same_row(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("down", "down", "down")
        before = _table(dashboard).cursor_id
        for key in ("s", "plus", "s", "S", "plus"):
            await dashboard.press(key)
            assert _table(dashboard).cursor_id == before


async def test_sorting_goes_through_every_column_and_back(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        for title in ("Instance", "Key", "Features", "Location", "Version", "Status"):
            await dashboard.press("s")
            await dashboard.wait_for(f"{title}▲", f"Sorted by {title}.")
        await dashboard.press("S")
        await dashboard.wait_for("Status▼")
        await dashboard.press("s", "s")
        await dashboard.wait_for("Sorted by the default order.")
        await dashboard.press("S")
        assert "▲" not in dashboard.text.splitlines()[2]


async def test_a_click_on_a_title_sorts_and_another_one_reverses(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.click("Version")
        await dashboard.wait_for("Version▲")
        await dashboard.click("Version")
        await dashboard.wait_for("Version▼")


async def test_rows_are_marked_and_the_marks_are_cleared(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("space", "space")
        await dashboard.wait_for("2 marked", "✓ ")
        await dashboard.press("escape")
        await dashboard.wait_for("24 instances", gone="marked")
        await dashboard.press("escape")
        await dashboard.wait_for("press q to leave")


async def test_enter_opens_the_instance_or_the_key_and_escape_comes_back_to_the_row(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        for keys in (("enter",), ("down", "enter"), ("i",)):
            await dashboard.press(*keys)
            await dashboard.wait_until(
                lambda: not isinstance(dashboard.app.screen, LicensesScreen), "another screen"
            )
            await dashboard.press("escape")
            await dashboard.wait_until(
                lambda: isinstance(dashboard.app.screen, LicensesScreen), "the list"
            )
        assert _table(dashboard)._cursor == 1


async def test_a_double_click_opens_a_row(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.click("Lagos")
        assert isinstance(dashboard.app.screen, LicensesScreen)
        await dashboard.click("Lagos", times=2)
        await dashboard.wait_until(
            lambda: not isinstance(dashboard.app.screen, LicensesScreen), "another screen"
        )


async def test_the_wheel_scrolls_the_rows(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    from textual.events import MouseScrollDown

    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        table = _table(dashboard)
        table.post_message(
            MouseScrollDown(table, 5, 5, 0, 1, 0, False, False, False, screen_x=5, screen_y=8)
        )
        await dashboard.wait_until(lambda: table.scroll_offset.y > 0, "other rows")


async def test_a_command_that_is_not_possible_says_why(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("c")
        await dashboard.wait_for("There is no key on this row; move to a key.")
        await dashboard.press("end", "d")
        await dashboard.wait_for("This key is not assigned to an instance; activate it first.")


async def test_copying_shows_the_text_and_respects_masking(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("y")
        await dashboard.wait_for("Sent to the clipboard of the terminal: Berlin")
        await dashboard.press("down", "m", "y")
        await dashboard.wait_for("Sent to the clipboard of the terminal: ••••-••••-••••-")
        assert all(key.key[:12] not in dashboard.text for key in inventory.keys)


async def test_times_are_told_in_utc_on_demand(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.wait_for("as of 12:00")
        await dashboard.press("u")
        await dashboard.wait_for("as of 12:00Z")


async def test_data_of_another_day_tells_its_date(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    old = replace(inventory, fetched_at=NOW.replace(day=1, month=5))
    async with open_dashboard(Store(AppState(inventory=old))) as dashboard:
        await dashboard.wait_for("as of 2026-05-01 12:00")


async def test_an_empty_account_is_told_how_to_begin(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    empty = with_other(inventory, instances=(), keys=())
    async with open_dashboard(Store(AppState(inventory=empty))) as dashboard:
        await dashboard.wait_for("no instances and no license keys yet", "Press a to activate")


async def test_a_failed_refresh_keeps_the_last_good_rows(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        loaded_store.dispatch(LoadStarted())
        await dashboard.wait_for("loading…")
        loaded_store.dispatch(LoadFailed(UnavailableError("timeout", "No answer.", "Wait.")))
        await dashboard.wait_for("24 instances", "! No answer. Press r to try again.", "Lagos")


async def test_a_failed_first_load_says_what_to_do(open_dashboard: OpenDashboard) -> None:
    from tui_licenses.config import Configuration, Context
    from tui_licenses.wiring import open_services

    away = Configuration(
        Settings(refresh_seconds=0), (Context("away", "http://127.0.0.1:9"),), "away"
    )
    environment = {
        "TUI_LICENSES_SUBJECT_ID": "nobody",
        "TUI_LICENSES_REFRESH_TOKEN": "nothing",
    }
    services = open_services(away, environment=environment)
    async with open_dashboard(services=services) as dashboard:
        await dashboard.wait_for("Press r to try again.", "127.0.0.1:9", gone="LAB")


async def test_names_that_look_like_markup_or_escape_sequences_are_harmless(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    names = ("host[/prod]", "\x1b[31mred\x1b[0m", "[bold]x[/", "\u202eevil", "東京 नमस्ते e\u0301")
    instances = tuple(
        replace(instance, name=name, master_key_id=None)
        for instance, name in zip(inventory.instances, names, strict=False)
    )
    store = Store(AppState(inventory=with_other(inventory, instances=instances, keys=())))
    async with open_dashboard(store, size=(80, 24)) as dashboard:
        await dashboard.wait_for("host[/prod]", "‹U+001B›[31mred", "[bold]x[/", "‹U+202E›evil")
        assert "\x1b" not in dashboard.text
        for line in dashboard.app.screen._compositor.render_strips():
            assert line.cell_length == 80
        for _ in names:
            await dashboard.press("y", "down")


async def test_keys_are_masked_from_the_start_where_settings_say_so(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    store = Store(AppState(inventory=inventory, view=View(mask_keys=True)))
    async with open_dashboard(store) as dashboard:
        assert "••••-••••-••••-" in dashboard.text


async def test_downloads_of_marked_rows_need_rows_of_that_kind(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("space", "c")
        await dashboard.wait_for("No key is marked; mark one, or clear the marks with Esc.")
