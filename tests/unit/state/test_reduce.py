"""Events change the state, and every subscriber of the store hears of it once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.activation import Activation
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.key_table import KeyTable
from tui_licenses.errors import UnavailableError
from tui_licenses.service.downloads import DocumentKind, SavedFile
from tui_licenses.state import events
from tui_licenses.state.app_state import AppState, Sort
from tui_licenses.state.reduce import reduce
from tui_licenses.state.store import Store

INSTANCE = make_instance()
KEY = make_key()
INVENTORY = Inventory.of(make_user(), (INSTANCE,), (KEY,), NOW, "cursor")
LOADED = AppState(user=INVENTORY.user, inventory=INVENTORY)


def saved(name: str, size: int = 1) -> SavedFile:
    return SavedFile(Path(name), DocumentKind.LICENSE, size, "00", True, "Berlin", NOW, None)


def after(state: AppState, *happened: events.Event) -> AppState:
    for event in happened:
        state = reduce(state, event)
    return state


def test_a_load_starts_and_ends_with_the_inventory() -> None:
    loading = after(AppState(), events.UserIdentified(INVENTORY.user), events.LoadStarted())
    assert loading.is_loading
    assert after(loading, events.InventoryLoaded(INVENTORY)) == LOADED


def test_a_failed_load_keeps_the_last_good_inventory() -> None:
    problem = UnavailableError("timeout", "Too slow.")
    failed = after(LOADED, events.LoadStarted(), events.LoadFailed(problem))
    assert failed == replace(LOADED, problem=problem)
    assert after(failed, events.InventoryLoaded(INVENTORY)).problem is None


def test_a_renamed_instance_takes_its_key_rows_along() -> None:
    other = make_key(id="other", instance_id="elsewhere", instance_name="Elsewhere")
    state = replace(LOADED, inventory=replace(INVENTORY, keys=KeyTable.of((KEY, other))))
    renamed = replace(INSTANCE, name="Hamburg")
    inventory = after(state, events.InstanceChanged(renamed)).inventory
    assert inventory is not None
    assert inventory.instances == (renamed,)
    assert inventory.keys == (replace(KEY, instance_name="Hamburg"), other)


def test_an_activation_adds_a_new_instance_and_changes_known_keys_in_place() -> None:
    new = make_instance(id="new", name="New")
    moved = replace(KEY, instance_id="new", instance_name="New")
    bought = make_key(id="bought")
    activation = Activation("a", new, (moved, bought), None, NOW)
    inventory = after(LOADED, events.KeysActivated(activation)).inventory
    assert inventory is not None
    assert inventory.instances == (INSTANCE, new)
    assert set(inventory.keys) == {moved, bought}


@pytest.mark.parametrize(
    "event",
    [
        events.InstanceChanged(INSTANCE),
        events.KeysActivated(Activation("a", INSTANCE, (KEY,), None, NOW)),
    ],
)
def test_a_change_before_the_first_load_waits_for_it(event: events.Event) -> None:
    assert after(AppState(), event) == AppState()


def test_the_newest_file_comes_first_and_each_path_once() -> None:
    state = after(
        AppState(),
        events.FileSaved(saved("a")),
        events.FileSaved(saved("b")),
        events.FileSaved(saved("a", 2)),
    )
    assert state.saved_files == (saved("a", 2), saved("b"))


def test_a_mark_is_set_and_taken_away_again() -> None:
    marked = after(AppState(), events.MarkToggled("a"), events.MarkToggled("b"))
    assert marked.marked_ids == {"a", "b"}
    assert after(marked, events.MarkToggled("a")).marked_ids == {"b"}
    assert after(marked, events.MarksCleared()).marked_ids == frozenset()


def test_the_view_follows_its_events() -> None:
    view = after(
        AppState(),
        events.AddOnsToggled(True),
        events.FilterChanged("ber"),
        events.MaskToggled(),
        events.UtcToggled(),
    ).view
    assert (view.show_add_ons, view.filter_text, view.mask_keys, view.show_utc) == (
        True,
        "ber",
        True,
        True,
    )


def test_the_same_column_again_reverses_and_no_column_returns_to_the_default() -> None:
    by_name = after(AppState(), events.SortChosen("name"))
    assert by_name.view.sort == Sort("name")
    reversed_ = after(by_name, events.SortChosen("name"))
    assert reversed_.view.sort == Sort("name", is_descending=True)
    assert after(reversed_, events.SortChosen("name")).view.sort == Sort("name")
    assert after(reversed_, events.SortChosen("status")).view.sort == Sort("status")
    assert after(reversed_, events.SortChosen(None)).view.sort == Sort()


def test_subscribers_hear_of_a_change_with_both_states() -> None:
    store = Store()
    heard: list[tuple[AppState, AppState]] = []
    unsubscribe = store.subscribe(lambda before, now: heard.append((before, now)))
    store.dispatch(events.MaskToggled())
    assert heard == [(AppState(), store.state)]
    unsubscribe()
    unsubscribe()
    store.dispatch(events.MaskToggled())
    assert len(heard) == 1


def test_a_subscriber_may_leave_while_it_is_told() -> None:
    store = Store(LOADED)
    told: list[str] = []

    def once(_: AppState, __: AppState) -> None:
        told.append("once")
        leave()

    leave = store.subscribe(once)
    store.subscribe(lambda _, __: told.append("always"))
    store.dispatch(events.MaskToggled())
    store.dispatch(events.UtcToggled())
    assert told == ["once", "always", "always"]


def test_an_event_that_changes_nothing_tells_nobody() -> None:
    store = Store()
    heard: list[AppState] = []
    store.subscribe(lambda _, now: heard.append(now))
    store.dispatch(events.InstanceChanged(INSTANCE))
    assert heard == []


def test_many_saved_files_come_before_the_others_the_last_one_first() -> None:
    state = after(AppState(), events.FileSaved(saved("a")), events.FileSaved(saved("b")))
    again = saved("a", size=2)
    state = after(state, events.FilesSaved((saved("c"), again, saved("d"))))
    assert state.saved_files == (saved("d"), again, saved("c"), saved("b"))


def test_rows_are_marked_and_unmarked_together() -> None:
    state = after(AppState(), events.MarkToggled("a"), events.RowsMarked(frozenset("abc")))
    assert state.marked_ids == frozenset("abc")
    assert after(state, events.RowsUnmarked(frozenset("bx"))).marked_ids == frozenset("ac")
    assert after(state, events.MarksCleared()).marked_ids == frozenset()
